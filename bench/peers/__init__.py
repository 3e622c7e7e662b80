"""The same work done by others: Bytewax, pandas, plain Java and Flink, with the same results, checked."""
