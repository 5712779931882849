"""What people make of a record: corrections, marks, and how both reach every reader."""
