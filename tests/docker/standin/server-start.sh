#!/bin/sh
# Kafka's own start script: a file of properties, relative to the working directory, and --override NAME=VALUE.
set -eu
case $1 in /*) file=$1 ;; *) file=$PWD/$1 ;; esac
shift
exec run "$file" "$@"
