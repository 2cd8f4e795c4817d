"""Types of Ray Client, of which there are no objects."""


class ClientObjectRef: ...


class ClientActorHandle: ...


class ClientActorRef: ...
