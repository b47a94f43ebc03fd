package deploy

import (
	"encoding/json"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/model"
	"github.com/prometheus/prometheus/promql/parser"
)

const (
	dashboardFile  = "k8s/parley/files/dashboard.json"
	metricsFile    = "../docs/metrics.md"
	operationsFile = "../docs/operations.md"
	runbookURL     = "https://github.com/parley-im/parley/blob/main/docs/operations.md#"
)

func TestAlerts_say_what_to_do(t *testing.T) {
	books := runbooks(t)
	for _, rule := range rules(t) {
		if rule.Alert == "" {
			continue
		}
		if s := rule.Labels["severity"]; s != "critical" && s != "warning" {
			t.Errorf("%s: severity %q", rule.Alert, s)
		}
		if time.Duration(rule.For) < time.Minute {
			t.Errorf("%s: fires after %v, one scrape that went wrong", rule.Alert, rule.For)
		}
		if rule.Annotations["summary"] == "" {
			t.Errorf("%s: no summary", rule.Alert)
		}
		// GitHub's anchor of a heading is its lower case.
		if url, want := rule.Annotations["runbook_url"], runbookURL+strings.ToLower(rule.Alert); url != want {
			t.Errorf("%s: runbook at %s, want %s", rule.Alert, url, want)
		}
		if !books[rule.Alert] {
			t.Errorf("%s: no runbook in %s", rule.Alert, operationsFile)
		}
		delete(books, rule.Alert)
	}
	for name := range books {
		t.Errorf("runbook %s: there is no such alert", name)
	}
}

// runbooks are the headings of the section of that name.
func runbooks(t *testing.T) map[string]bool {
	t.Helper()
	document, err := os.ReadFile(operationsFile)
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(document), "\n## Runbooks\n")
	section, _, _ = strings.Cut(section, "\n## ")
	names := map[string]bool{}
	for line := range strings.Lines(section) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "### "); ok {
			names[name] = true
		}
	}
	return names
}

// grafana is what the tests look at of the dashboard.
type grafana struct {
	UID           string
	SchemaVersion int
	Templating    struct {
		List []struct{ Name, Type, Query string }
	}
	Panels []struct {
		ID         int
		Type       string
		Title      string
		Datasource *source
		GridPos    struct{ X, Y, W, H int }
		Targets    []struct {
			RefID      string
			Expr       string
			Datasource *source
		}
	}
}

type source struct{ Type, UID string }

func readDashboard(t *testing.T) grafana {
	t.Helper()
	text, err := os.ReadFile(dashboardFile)
	if err != nil {
		t.Fatal(err)
	}
	var d grafana
	if err := json.Unmarshal(lax(text), &d); err != nil {
		t.Fatal(err)
	}
	return d
}

// lax turns the variables' queries, which Grafana has as text or as an object,
// into text.
func lax(text []byte) []byte {
	return regexp.MustCompile(`"query":\{"query":("(?:[^"\\]|\\.)*"),"refId":"[a-z]*"\}`).ReplaceAll(text, []byte(`"query":$1`))
}

func TestDashboard_panels(t *testing.T) {
	d := readDashboard(t)
	chosen := source{Type: "prometheus", UID: "${datasource}"}
	ids, cells := map[int]bool{}, map[[2]int]string{}
	for _, p := range d.Panels {
		if p.ID == 0 || ids[p.ID] {
			t.Errorf("%s: id %d", p.Title, p.ID)
		}
		ids[p.ID] = true
		at := p.GridPos
		if at.W < 1 || at.H < 1 || at.X < 0 || at.X+at.W > 24 {
			t.Errorf("%s lies at %+v", p.Title, at)
		}
		for x := at.X; x < at.X+at.W; x++ {
			for y := at.Y; y < at.Y+at.H; y++ {
				if other, taken := cells[[2]int{x, y}]; taken {
					t.Errorf("%s lies over %s", p.Title, other)
				}
				cells[[2]int{x, y}] = p.Title
			}
		}
		if p.Type == "row" {
			continue
		}
		if p.Datasource == nil || *p.Datasource != chosen || len(p.Targets) == 0 {
			t.Errorf("%s: data source %v, %d queries", p.Title, p.Datasource, len(p.Targets))
		}
		refs := map[string]bool{}
		for _, target := range p.Targets {
			if target.Datasource == nil || *target.Datasource != chosen || refs[target.RefID] {
				t.Errorf("%s: query %s: data source %v", p.Title, target.RefID, target.Datasource)
			}
			refs[target.RefID] = true
		}
	}
	if len(ids) < 40 || d.SchemaVersion < 39 || d.UID == "" {
		t.Errorf("%d panels, schema %d, uid %q", len(ids), d.SchemaVersion, d.UID)
	}
}

// TestExpressions_name_what_exists parses all expressions and looks each metric
// up.
func TestExpressions_name_what_exists(t *testing.T) {
	known := metrics(t)
	words := documented(t)
	exprs := map[string]string{} // by where they stand
	for _, rule := range rules(t) {
		exprs["alert "+rule.Alert+rule.Record] = rule.Expr
		if rule.Record != "" {
			known[rule.Record] = nil
		}
	}
	d := readDashboard(t)
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			exprs[fmt.Sprintf("panel %s, query %s", p.Title, target.RefID)] = variables.Replace(target.Expr)
		}
	}
	for _, v := range d.Templating.List {
		if v.Type == "query" {
			metric, _, _ := strings.Cut(strings.TrimPrefix(v.Query, "label_values("), ",")
			exprs["variable "+v.Name] = variables.Replace(metric)
		}
	}
	p := parser.NewParser(parser.Options{})
	for where, text := range exprs {
		expr, err := p.ParseExpr(text)
		if err != nil {
			t.Errorf("%s: %v\n%s", where, err, text)
			continue
		}
		parser.Inspect(expr, func(node parser.Node, path []parser.Node) error {
			s, ok := node.(*parser.VectorSelector)
			if !ok {
				return nil
			}
			has, ok := known[s.Name]
			if !ok {
				t.Errorf("%s: there is no metric %q", where, s.Name)
				return nil
			}
			for _, label := range wanted(s, path) {
				if has != nil && !slices.Contains(has, label) {
					t.Errorf("%s: %s has no label %q", where, s.Name, label)
				}
			}
			for _, m := range s.LabelMatchers {
				for value := range strings.SplitSeq(m.Value, "|") {
					if m.Name != model.MetricNameLabel && has != nil && value != ".*" && !words[value] {
						t.Errorf("%s: %s of %s: no document tells of %q", where, m.Name, s.Name, value)
					}
				}
			}
			return nil
		})
	}
}

// documented are the words of the other documents: a value that none of them
// has is a slip of the pen, and would find nothing for ever.
func documented(t *testing.T) map[string]bool {
	t.Helper()
	words := map[string]bool{"true": true, "false": true, "draining": true} // the last is the check of /readyz that telemetry adds
	for _, name := range []string{"metrics.md", "nats.md", "websocket.md", "architecture.md", "openapi.yaml"} {
		document, err := os.ReadFile("../docs/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for _, word := range regexp.MustCompile(`[a-z0-9_]+(\.[a-z0-9_]+)*`).FindAllString(string(document), -1) {
			words[strings.TrimPrefix(word, "im.svc.")] = true
		}
	}
	return words
}

// wanted are the labels that an expression wants of a metric: those that it
// selects by, and those that sums around it keep.
func wanted(s *parser.VectorSelector, path []parser.Node) []string {
	var names []string
	for _, m := range s.LabelMatchers {
		if m.Name != model.MetricNameLabel {
			names = append(names, m.Name)
		}
	}
	for _, around := range path {
		if sum, ok := around.(*parser.AggregateExpr); ok && !sum.Without {
			names = append(names, sum.Grouping...)
		}
	}
	return names
}

// variables are what Grafana puts in.
var variables = strings.NewReplacer("$__rate_interval", "1m", "$service", ".*", "$instance", ".*")

// metricRow is a metric in docs/metrics.md: its name, its type and its labels.
var metricRow = regexp.MustCompile("(?m)^\\| `([a-z_]+)` \\| (counter|gauge|histogram)[^|]*\\|([^|]*)\\|")

// metrics are the labels of all series by name: those of docs/metrics.md, and
// with nil, which is any, of the Go runtime and of Prometheus itself.
func metrics(t *testing.T) map[string][]string {
	t.Helper()
	document, err := os.ReadFile(metricsFile)
	if err != nil {
		t.Fatal(err)
	}
	known := map[string][]string{"up": nil}
	for _, row := range metricRow.FindAllStringSubmatch(string(document), -1) {
		has := []string{"service", "instance", "job"}
		for _, label := range strings.Split(row[3], ",") {
			has = append(has, strings.Trim(label, " `"))
		}
		if row[2] != "histogram" {
			known[row[1]] = has
			continue
		}
		known[row[1]+"_sum"], known[row[1]+"_count"] = has, has
		known[row[1]+"_bucket"] = append(slices.Clone(has), "le")
	}
	if len(known) < 40 {
		t.Fatalf("%d metrics in %s", len(known), metricsFile)
	}
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range families {
		known[f.GetName()] = nil
	}
	return known
}
