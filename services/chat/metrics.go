package chat

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/parley-im/parley/pkg/telemetry"
)

// logMetrics show how well a Log groups and guesses.
type logMetrics struct {
	batch      prometheus.Histogram // messages an insert
	insert     prometheus.Histogram // seconds an insert
	collisions prometheus.Counter
	retries    prometheus.Counter
	unknown    prometheus.Counter
	duplicates prometheus.Counter
	full, away prometheus.Counter // sends refused, by reason
}

// newLogMetrics takes what tells whether the store counts as away.
func newLogMetrics(reg prometheus.Registerer, storeAway func() bool) *logMetrics {
	counter := func(name, help string) prometheus.Counter {
		return prometheus.NewCounter(prometheus.CounterOpts{Name: "parley_chat_" + name, Help: help})
	}
	m := &logMetrics{
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "parley_chat_insert_messages", Help: "Messages in one insert.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 10),
		}),
		insert: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "parley_chat_insert_seconds", Help: "Duration of one insert.",
			Buckets: prometheus.ExponentialBuckets(0.0005, 2, 14),
		}),
		collisions: counter("collisions_total", "Inserts that ended at a seq or client_id that was taken."),
		retries:    counter("retries_total", "Messages put into another insert, since an earlier one did not store them, or did not say."),
		unknown:    counter("unknown_outcomes_total", "Calls of the store that did not say what became of messages."),
		duplicates: counter("duplicates_total", "Messages that turned out to be stored already."),
	}
	refused := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_chat_refused_sends_total", Help: "Sends refused because too many wait, or because the store is away.",
	}, []string{"reason"})
	m.full, m.away = refused.WithLabelValues("queue_full"), refused.WithLabelValues("store_away")
	away := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "parley_chat_store_away", Help: "1 while inserts fail or stall, else 0.",
	}, func() float64 {
		if storeAway() {
			return 1
		}
		return 0
	})
	reg.MustRegister(m.batch, m.insert, m.collisions, m.retries, m.unknown, m.duplicates, refused, away)
	return m
}

// inserts counts those of an insert's messages that were in one before.
func (m *logMetrics) inserts(slots []*slot) {
	for _, s := range slots {
		if s.tried {
			m.retries.Inc()
		}
		s.tried = true
	}
}

func (m *logMetrics) inserted(messages int, took time.Duration, span trace.SpanContext) {
	m.batch.Observe(float64(messages))
	telemetry.Observe(m.insert, took.Seconds(), span)
}

// readsMetrics show how well Reads group.
type readsMetrics struct {
	batch   prometheus.Histogram // positions a write
	refused prometheus.Counter
}

func newReadsMetrics(reg prometheus.Registerer) *readsMetrics {
	m := &readsMetrics{
		batch: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name: "parley_chat_write_read_positions", Help: "Read positions in one write.",
			Buckets: prometheus.ExponentialBuckets(1, 2, 10),
		}),
		refused: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "parley_chat_refused_read_positions_total", Help: "Read positions refused because too many wait, or because the store does not answer.",
		}),
	}
	reg.MustRegister(m.batch, m.refused)
	return m
}

// historyMetrics show how much of history needs the store.
type historyMetrics struct {
	memory, head, store, part prometheus.Counter // pages, by where they come from
}

func newHistoryMetrics(reg prometheus.Registerer, memory *Memory) *historyMetrics {
	pages := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "parley_chat_history_pages_total",
		Help: "Pages of history: from memory, from memory up to a head that was read, from the store, or cut short for want of it.",
	}, []string{"from"})
	gauge := func(name, help string, value func() int) prometheus.GaugeFunc {
		return prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "parley_chat_" + name, Help: help},
			func() float64 { return float64(value()) })
	}
	reg.MustRegister(pages,
		gauge("recent_messages", "Messages in memory.", func() int { n, _ := memory.Size(); return n }),
		gauge("recent_bytes", "Their size, about: what parley_chat_recent_messages counts.", func() int { _, n := memory.Size(); return n }))
	return &historyMetrics{
		memory: pages.WithLabelValues("memory"),
		head:   pages.WithLabelValues("memory_and_head"),
		store:  pages.WithLabelValues("store"),
		part:   pages.WithLabelValues("memory_in_part"),
	}
}
