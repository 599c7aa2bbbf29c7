#!/bin/bash
curl victim