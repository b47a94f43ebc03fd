package contract

// HeaderTimeout carries, in a request, the whole milliseconds that its caller
// still waits for the answer. It is a duration, not an instant, because the
// clocks of two machines differ. Without it the server's own limit holds.
const HeaderTimeout = "Parley-Timeout-Ms"

// HeaderLeaving stands in an answer of a replica that is about to stop. Who
// preferred it asks any replica from then on.
const HeaderLeaving = "Parley-Leaving"

// MetadataReplica is the key of micro's service metadata that holds the
// replica's id, as a pinned method's subject ends with it. Micro chooses its
// own instance id only once the service runs, hence a second one.
const MetadataReplica = "replica"

// MetadataVersion and MetadataRevision are the keys of micro's service
// metadata that hold what the replica was built from: the version as the binary
// itself says it (micro shows it as a semantic version), and the commit.
const (
	MetadataVersion  = "version"
	MetadataRevision = "revision"
)
