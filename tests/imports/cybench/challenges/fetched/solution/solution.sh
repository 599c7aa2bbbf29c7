#!/bin/bash
true