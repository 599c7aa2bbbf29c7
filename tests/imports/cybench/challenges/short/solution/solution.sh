#!/bin/bash
echo 'CTF'$(printf '{blu')'e}'