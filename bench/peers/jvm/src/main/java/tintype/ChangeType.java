package tintype;

import org.apache.flink.api.common.serialization.SerializerConfig;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.TypeSerializer;

/** Tells Flink to use the serializer written by hand. */
public final class ChangeType extends TypeInformation<Change> {
    @Override public boolean isBasicType() {
        return false;
    }

    @Override public boolean isTupleType() {
        return false;
    }

    @Override public int getArity() {
        return 1;
    }

    @Override public int getTotalFields() {
        return 1;
    }

    @Override public Class<Change> getTypeClass() {
        return Change.class;
    }

    @Override public boolean isKeyType() {
        return false;
    }

    @Override public TypeSerializer<Change> createSerializer(SerializerConfig config) {
        return ChangeSerializer.ONE;
    }

    @Override public String toString() {
        return "Change";
    }

    @Override public boolean equals(Object other) {
        return other instanceof ChangeType;
    }

    @Override public int hashCode() {
        return 1;
    }

    @Override public boolean canEqual(Object other) {
        return other instanceof ChangeType;
    }
}
