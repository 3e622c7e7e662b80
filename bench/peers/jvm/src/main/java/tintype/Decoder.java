package tintype;

import java.nio.charset.StandardCharsets;

/** Reads Debezium's envelopes by hand: one pass over the bytes, members told apart by their names. */
final class Decoder extends Scanner {
    static final String[] STATUSES = {"paid", "done", "cancelled"};
    static final byte CANCELLED = 2;

    void decode(byte[] message, Change change) {
        text = message;
        at = 1;
        while (true) {
            name();
            if (is("before") || is("after")) {
                at++;
                if (text[at] == 'n') {
                    at += 4;
                } else {
                    row(change);
                }
            } else if (is("source")) {
                at++;
                block(change);
            } else if (is("op")) {
                at++;
                string();
                change.op = text[from];
            } else {
                at++;
                skip();
            }
            if (text[at++] == '}') {
                return;
            }
        }
    }

    private void row(Change change) {
        at++;
        while (true) {
            name();
            at++;
            if (is("id")) {
                change.key = number();
            } else if (is("member_id")) {
                string();
                change.member = new String(text, from, to - from, StandardCharsets.ISO_8859_1);
            } else if (is("amount")) {
                string();
                change.value = minor();
            } else if (is("status")) {
                string();
                change.status = text[from] == 'p' ? 0 : text[from] == 'd' ? (byte) 1 : CANCELLED;
            } else if (is("category")) {
                string();
                change.category = (byte) ((text[from + 1] - '0') * 10 + text[from + 2] - '0');
            } else if (is("score") || is("seconds")) {
                change.value = (int) number();
            } else if (is("at")) {
                string();
                change.eventUs = moment();
            } else {
                skip();
            }
            if (text[at++] == '}') {
                return;
            }
        }
    }

    private void block(Change change) {
        at++;
        while (true) {
            name();
            at++;
            if (is("ts_ms")) {
                change.minute = (int) (number() / 60_000);
            } else if (is("lsn")) {
                change.position = number();
            } else if (is("table")) {
                string();
                change.source = text[from] == 'o' ? 0 : text[from] == 'r' ? 1 : text[from] == 't' ? 2 : (byte) 3;
            } else {
                skip();
            }
            if (text[at++] == '}') {
                return;
            }
        }
    }

    /** 2026-01-31T08:05:00.123456Z */
    private long moment() {
        int year = two(0) * 100 + two(2);
        int month = two(5);
        int shifted = month <= 2 ? year - 1 : year;
        int ofEra = shifted % 400;
        int ofYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + two(8) - 1;
        long days = shifted / 400 * 146_097L + ofEra * 365L + ofEra / 4 - ofEra / 100 + ofYear - 719_468;
        long seconds = ((days * 24 + two(11)) * 60 + two(14)) * 60 + two(17);
        return seconds * 1_000_000 + two(20) * 10_000 + two(22) * 100 + two(24);
    }

    private int two(int offset) {
        return (text[from + offset] - '0') * 10 + text[from + offset + 1] - '0';
    }
}
