package telemetry

import (
	"sync"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
)

// CallBuckets are the buckets of durations of calls, in seconds: a cached
// membership takes one, a password hash 200 and a busy store 1,000 ms. There are
// few, each four times the one before: every method has a series for each, and
// an exemplar tells more than a finer bucket.
func CallBuckets() []float64 { return []float64{.00025, .001, .004, .016, .064, .25, 1, 4, 10} }

// LateHistogram is one histogram of a vector, which gets its series when it is
// first observed: most methods are rarely called, and a histogram of nothing
// tells nothing in a dozen lines.
type LateHistogram struct {
	vec    *prometheus.HistogramVec
	labels []string

	once sync.Once
	made prometheus.Observer
}

// Late returns the vector's histogram of these labels.
func Late(vec *prometheus.HistogramVec, labels ...string) *LateHistogram {
	return &LateHistogram{vec: vec, labels: labels}
}

// Observe is [Observe] on the histogram.
func (h *LateHistogram) Observe(value float64, span trace.SpanContext) {
	h.once.Do(h.make)
	Observe(h.made, value, span)
}

func (h *LateHistogram) make() { h.made = h.vec.WithLabelValues(h.labels...) }
