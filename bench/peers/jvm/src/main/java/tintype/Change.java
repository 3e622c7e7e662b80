package tintype;

/** One change of one row, as the shop reads it. Reused from message to message by the plain program. */
final class Change {
    static final int ORDERS = 0, REFUNDS = 1, TICKETS = 2, VIEWS = 3;

    String member;
    int minute;
    byte op;      // 'c', 'u', 'd'
    byte source;
    long key;
    long position;
    long eventUs;
    int value;    // amount in minor units, score or seconds
    byte status;  // code of Decoder.STATUSES
    byte category;
}
