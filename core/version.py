"""The version of Prompt Segmenter; a test keeps it equal to metadata.txt's."""

VERSION = "0.1.0"
