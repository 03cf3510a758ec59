"""Classes of characters and shapes of tokens: small numbers that kernels and features share.

A character has a class, a token a shape. From TERMINAL on the class of a punctuation mark is the shape
of the token that it makes; below, classes and shapes are two lists.
"""

# Classes of characters.
SPACE, LOWER, UPPER, UNCASED, DIGIT, CJK, JOINER = 0, 1, 2, 3, 4, 5, 6

# Shapes of words; EDGE stands before the first token of a line.
EDGE, SHORT_LOWER, LONG_LOWER, CAPITALISED, ALL_CAPS, INITIAL = 0, 1, 2, 3, 4, 5
ONE_DIGIT, TWO_DIGITS, FOUR_DIGITS, DIGITS, MIXED, WORD, IDEOGRAPH = 6, 7, 8, 9, 10, 11, 12

# Both.
TERMINAL, QUESTION, COMMA, COLON, DASH, BAR, SLASH, OPEN, CLOSE, QUOTE = 13, 14, 15, 16, 17, 18, 19, 20, 21, 22
COPYRIGHT, AT, BULLET, CURRENCY, OTHER = 23, 24, 25, 26, 27
CLASSES = 28

# What is counted in a line: characters, letters, capital letters, digits, marks (all else that shows);
# whether it begins with white space, whether a blank line is before and after it; words; white space.
CHARACTERS, LETTERS, CAPITALS, FIGURES, MARKS, INDENTED, BLANK_BEFORE, BLANK_AFTER, WORDS = 0, 1, 2, 3, 4, 5, 6, 7, 8
SPACES = 9
COUNTS = 10
