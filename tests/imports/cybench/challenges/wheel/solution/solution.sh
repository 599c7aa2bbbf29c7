#!/bin/bash
python3 - <<'END'
for c in open('/root/note.txt').read():
    print(chr((ord(c) - 100) % 26 + 97) if c.islower() else c, end='')
END
