"""The instructions of the rule machine: (op, a, b), a stack of (value, null) pairs of int64.

Truth values are 0 and 1 and never null.
"""

CONST = 0  # push a
NULL = 1  # push null
METRIC = 2  # push the value of metric a (null of nothing, M2)
AVG_CMP = 3  # pop v; push truth of: avg metric a <comparison b> v   (M2: never a float)
RFM = 4  # push field b of RFM model a: see RFM_FIELDS
TAG = 5  # push membership of tag a
COLUMN = 6  # push column a of the row being judged or filtered (its source is known)
NOT = 7  # pop x; push 1 - x
JUMP_FALSE = 8  # if top is 0 jump to instruction a, keeping it; else pop it   (&&)
JUMP_TRUE = 9  # if top is 1 jump to instruction a, keeping it; else pop it   (||)
BRANCH = 10  # pop x; if 0 jump to instruction a   (?:)
JUMP = 11  # jump to instruction a
CMP = 12  # pop y, pop x; push x <comparison a> y; null: see M2
IN = 13  # pop x; push whether x is one of the b constants that start at constant a (null: 0)
ADD = 14
SUB = 15
MUL = 16
DIV = 17
MOD = 18
NEG = 19
HAS = 20  # pop x; push whether x is not null
HAS_METRIC = 21  # push whether metric a is not null (for avg)

EQ, NE, LT, LE, GT, GE = range(6)  # comparisons

# fields of RFM: values in the model's unit; null outside the population
RFM_FREQUENCY, RFM_MONETARY, RFM_R, RFM_F, RFM_M, RFM_SCORE, RFM_SEGMENT, RFM_MEMBER = range(8)
