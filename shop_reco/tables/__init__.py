"""Files of rows from outside: CSV, JSON Lines and Parquet, read in bounded memory whatever they hold."""
