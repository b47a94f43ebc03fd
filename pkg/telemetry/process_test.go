package telemetry

import (
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/parley-im/parley/pkg/contract"
)

// What net/http has to complain about goes to the package log, and from there
// into the process's own, as a warning.
func TestTelemetry_OwnProcess(t *testing.T) {
	before := slog.Default()
	t.Cleanup(func() { slog.SetDefault(before) })
	var out strings.Builder
	tel := Discard(contract.Chat)
	tel.Log = slog.New(slog.NewJSONHandler(&out, nil))
	tel.OwnProcess()

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(http.StatusOK)
		w.WriteHeader(http.StatusTeapot)
	}))
	resp, err := http.Get(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	_ = resp.Body.Close()
	server.Close()
	var record struct{ Level, Msg string }
	if err := json.Unmarshal([]byte(out.String()), &record); err != nil || record.Level != "WARN" || !strings.Contains(record.Msg, "superfluous") {
		t.Errorf("logged %q: %v", out.String(), err)
	}
	metrics, err := tel.Metrics.Gather()
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, family := range metrics {
		found = found || family.GetName() == "go_goroutines"
	}
	if !found {
		t.Error("the metrics of the process are not among its own")
	}
}
