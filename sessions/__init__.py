"""Lives the lesson: before (lessons), during (live) and after (record)."""
