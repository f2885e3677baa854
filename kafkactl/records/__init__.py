"""Reading and writing records: what a record is, how it is written down, which ones are kept, what is hidden."""
