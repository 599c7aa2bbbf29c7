#!/bin/bash
echo 'flag{temp}'