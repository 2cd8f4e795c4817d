package org.sabir;

import java.util.Map;

/**
 * A node of the session.
 *
 * @param nodeId hexadecimal
 * @param alive whether it takes part
 * @param resources what it has, by name
 * @param available what no running task and no living actor holds
 * @param storeCapacityBytes how much its object store may use
 * @param storeUsedBytes of the objects that are in it
 * @param name for people
 * @param address where other nodes reach it; "" if it has no others
 * @param labels what {@link Scheduling#labels} asks for
 */
public record Node(String nodeId, boolean alive, Map<String, Double> resources, Map<String, Double> available,
    long storeCapacityBytes, long storeUsedBytes, String name, String address, Map<String, String> labels) {}
