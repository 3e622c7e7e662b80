package tintype;

import org.apache.flink.api.common.serialization.SerializerConfig;
import org.apache.flink.api.common.typeinfo.TypeInformation;
import org.apache.flink.api.common.typeutils.TypeSerializer;

/** Tells Flink to use serializers written by hand. */
final class OwnType<T> extends TypeInformation<T> {
    static final TypeInformation<Change> CHANGE = new OwnType<>(Change.class, new Serializers.OfChange());
    static final TypeInformation<Customer> CUSTOMER = new OwnType<>(Customer.class, new Serializers.OfWhole());

    private final Class<T> kind;
    private final TypeSerializer<T> serializer;

    private OwnType(Class<T> kind, TypeSerializer<T> serializer) {
        this.kind = kind;
        this.serializer = serializer;
    }

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

    @Override public Class<T> getTypeClass() {
        return kind;
    }

    @Override public boolean isKeyType() {
        return false;
    }

    @Override public TypeSerializer<T> createSerializer(SerializerConfig config) {
        return serializer;
    }

    @Override public String toString() {
        return kind.getSimpleName();
    }

    @Override public boolean equals(Object other) {
        return other instanceof OwnType<?> && ((OwnType<?>) other).kind == kind;
    }

    @Override public int hashCode() {
        return kind.hashCode();
    }

    @Override public boolean canEqual(Object other) {
        return other instanceof OwnType<?>;
    }
}
