#!/bin/bash
echo 'CTF{a_wheel_that_turns_by_three_letters_2047}'