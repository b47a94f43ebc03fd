package contract

// HeaderTimeout carries, in a request, the whole milliseconds that its caller
// still waits for the answer. It is a duration, not an instant, because the
// clocks of two machines differ. Without it the server's own limit holds.
const HeaderTimeout = "Parley-Timeout-Ms"

// HeaderLeaving stands in an answer of a replica that is about to stop. Who
// preferred it asks any replica from then on.
const HeaderLeaving = "Parley-Leaving"

// HeaderRequestID carries, in a request, the id of what a client asked, which
// the log lines of all services about it have in common. One that is not a
// ValidRequestID is ignored.
const HeaderRequestID = "Parley-Request-Id"

// HeaderGroup says, in a request of a Grouped method, how many calls it holds:
// its body is then an array of their requests, and the answer's one of
// {"reply":…}, {"fault":…} or {"alone":true}, in the same order; what is to come
// alone found no place beside the others, and is sent again by itself. Such a
// request is nobody's in particular, and has no id.
const HeaderGroup = "Parley-Group"

// MaxGroup is the most calls that one request may hold.
const MaxGroup = 128

// maxListers is how many users' rooms are listed in one request. Each may be in
// thousands: more would keep those waiting who are in few.
const maxListers = 16

// MaxRequestIDLength is the most characters that a request's id may have.
const MaxRequestIDLength = 64

// ValidRequestID reports whether s may stand in a header and in a log line:
// 1 to 64 of [A-Za-z0-9._-]. Clients may choose such an id.
func ValidRequestID(s string) bool {
	if len(s) == 0 || len(s) > MaxRequestIDLength {
		return false
	}
	for i := range len(s) {
		switch c := s[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9', c == '-', c == '.', c == '_':
		default:
			return false
		}
	}
	return true
}

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
