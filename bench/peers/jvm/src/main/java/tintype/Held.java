package tintype;

/** Where one customer's rows, and what falls due for it, are held. */
interface Held {
    Row get(int source, long key);

    /** All rows of a source, in no order. */
    Iterable<Row> rows(int source);

    /** Holds a new row. */
    void put(Row row);

    /** Holds a row's new stage. */
    void passed(Row row);

    void remove(Row row);

    /** Notes what falls due at a minute. of: the row that it is of, or null; mark: a number of its own. */
    void push(int minute, byte what, Row of, int mark);

    /** The earliest minute at which something falls due; the largest whole number where nothing does. */
    int next();

    /** Takes everything out that is due at {@link #next}, tells the customer of each, and the minute. */
    void pop(Customer customer);
}
