"""What bin/demo, bin/test and bin/services share. Standard library only: nothing is installed yet."""
