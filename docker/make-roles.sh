#!/bin/sh
# Run once by the postgres image on an empty data volume: the two roles, and the database of the first.
set -eu
psql -v ON_ERROR_STOP=1 -v owner="$OWNER_PASSWORD" -v app="$APP_PASSWORD" -U "$POSTGRES_USER" -d postgres <<'SQL'
CREATE ROLE xiaowei_owner LOGIN PASSWORD :'owner';
CREATE ROLE xiaowei_app LOGIN PASSWORD :'app';
CREATE DATABASE xiaowei OWNER xiaowei_owner;
SQL
