package tintype;

/** One pass over the bytes of a JSON object whose values are numbers, strings, null and what its reader enters. */
class Scanner {
    byte[] text;
    int at;
    int from;
    int to; // of the last string

    /** Reads a member's name; at then stands at the colon. */
    void name() {
        string();
    }

    boolean is(String name) {
        if (to - from != name.length()) {
            return false;
        }
        for (int i = 0; i < name.length(); i++) {
            if (text[from + i] != name.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    void string() {
        from = ++at;
        while (text[at] != '"') {
            at += text[at] == '\\' ? 2 : 1;
        }
        to = at++;
    }

    void skip() {
        int begin = from;
        int end = to;
        if (text[at] == '"') {
            string();
        } else {
            while (text[at] != ',' && text[at] != '}') {
                at++;
            }
        }
        from = begin;
        to = end;
    }

    long number() {
        long value = 0;
        while (text[at] >= '0' && text[at] <= '9') {
            value = value * 10 + text[at++] - '0';
        }
        return value;
    }

    int minor() {
        int value = 0;
        for (int i = from; i < to; i++) {
            if (text[i] != '.') {
                value = value * 10 + text[i] - '0';
            }
        }
        return value;
    }
}
