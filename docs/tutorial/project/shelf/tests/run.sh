#!/bin/sh
# Every list in this folder, compared with what the program should print about it.
program=$1
status=0
for list in tests/*.shelf; do
    if "$program" "$list" 2>&1 | cmp -s - "${list%.shelf}.expected"; then
        echo "ok       $list"
    else
        echo "DIFFERS  $list"
        status=1
    fi
done
exit $status
