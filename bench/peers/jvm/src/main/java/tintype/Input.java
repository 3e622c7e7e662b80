package tintype;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The messages: the history read as it is asked for, the live ones held in memory from the start. */
final class Input {
    final int history;
    final byte[][] live;
    private final BufferedReader reader;

    Input(Path folder, int history) throws IOException {
        this.history = history;
        reader = Files.newBufferedReader(folder.resolve("history.jsonl"), StandardCharsets.UTF_8);
        List<byte[]> held = new ArrayList<>();
        try (BufferedReader lines = Files.newBufferedReader(folder.resolve("live.jsonl"), StandardCharsets.UTF_8)) {
            for (String line = lines.readLine(); line != null; line = lines.readLine()) {
                held.add(line.getBytes(StandardCharsets.UTF_8));
            }
        }
        live = held.toArray(new byte[0][]);
    }

    /** Returns message i; those of the history must be asked for in their order. */
    byte[] get(int i) {
        if (i >= history) {
            return live[i - history];
        }
        try {
            return reader.readLine().getBytes(StandardCharsets.UTF_8);
        } catch (IOException error) {
            throw new UncheckedIOException(error);
        }
    }
}
