package telemetry

import "runtime/debug"

// revision is the commit when the linker sets it, for builds that see no
// repository, such as an image's:
// -ldflags "-X github.com/parley-im/parley/pkg/telemetry.revision=…".
var revision string

// Revision is the commit that the binary was built from: what the linker was
// told, else what Go found in the repository, else "unknown".
func Revision() string {
	if revision != "" {
		return revision
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if s.Key == "vcs.revision" {
				return s.Value
			}
		}
	}
	return "unknown"
}
