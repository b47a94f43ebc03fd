package deploy

import (
	"bytes"
	"os"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v4"

	"github.com/parley-im/parley/pkg/contract"
)

// readYAML decodes a file in which there is nothing but what the test knows.
func readYAML(t *testing.T, path string, into any) {
	t.Helper()
	source, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(source))
	decoder.KnownFields(true)
	if err := decoder.Decode(into); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
}

// mounted is where a service finds a file of deploy/.
func mounted(t *testing.T, service, source string) string {
	t.Helper()
	for _, volume := range project(t).Services[service].Volumes {
		if strings.HasSuffix(volume.Source, "/deploy/"+source) {
			return volume.Target
		}
	}
	t.Fatalf("%s has no %s", service, source)
	return ""
}

func TestPrometheus_scrapes_every_replica(t *testing.T) {
	var cfg struct {
		Global    map[string]string
		RuleFiles []string `yaml:"rule_files"`
		Scrape    []struct {
			Job string `yaml:"job_name"`
			DNS []struct {
				Names    []string
				Type     string
				Port     int
				Interval string `yaml:"refresh_interval"`
			} `yaml:"dns_sd_configs"`
			Static []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	readYAML(t, "compose/prometheus.yml", &cfg)
	services := project(t).Services
	if !slices.Contains(services["prometheus"].Command, "--config.file="+mounted(t, "prometheus", "compose/prometheus.yml")) {
		t.Errorf("Prometheus is started with %v", services["prometheus"].Command)
	}
	if !slices.Equal(cfg.RuleFiles, []string{mounted(t, "prometheus", "k8s/parley/files/alerts.yaml")}) {
		t.Errorf("rules are read from %v", cfg.RuleFiles)
	}
	var found []string
	for _, job := range cfg.Scrape {
		for _, dns := range job.DNS {
			if dns.Type != "A" || dns.Port != 9090 {
				t.Errorf("%s: %+v", job.Job, dns)
			}
			found = append(found, dns.Names...)
		}
		for _, static := range job.Static {
			for _, target := range static.Targets {
				host, _, _ := strings.Cut(target, ":")
				if _, ok := services[host]; !ok && host != "127.0.0.1" {
					t.Errorf("%s: there is no %s", job.Job, host)
				}
			}
		}
	}
	var want []string
	for _, service := range contract.Services() {
		want = append(want, string(service))
		if _, shared := services[string(service)].Networks["parley"]; !shared {
			t.Errorf("Prometheus does not reach %s", service)
		}
	}
	slices.Sort(found)
	slices.Sort(want)
	if !slices.Equal(found, want) {
		t.Errorf("it scrapes %v, want %v", found, want)
	}
}

func TestGrafana_leads_from_metrics_to_traces(t *testing.T) {
	var sources struct {
		Version int `yaml:"apiVersion"`
		Sources []struct {
			Name, UID, Type, URL string
			Default              bool           `yaml:"isDefault"`
			JSON                 map[string]any `yaml:"jsonData"`
		} `yaml:"datasources"`
	}
	readYAML(t, "compose/grafana/provisioning/datasources/parley.yaml", &sources)
	services := project(t).Services
	uids := map[string]string{}
	for _, source := range sources.Sources {
		uids[source.Type] = source.UID
		host, _, _ := strings.Cut(strings.TrimPrefix(source.URL, "http://"), ":")
		if _, ok := services[host]; !ok || source.Type != host {
			t.Errorf("%s is at %s", source.Name, source.URL)
		}
	}
	exemplars, _ := sources.Sources[0].JSON["exemplarTraceIdDestinations"].([]any)
	if len(exemplars) != 1 || exemplars[0].(map[string]any)["datasourceUid"] != uids["tempo"] || exemplars[0].(map[string]any)["name"] != "trace_id" {
		t.Errorf("exemplars lead to %v", exemplars)
	}
	if !slices.Contains(services["prometheus"].Command, "--enable-feature=exemplar-storage") {
		t.Error("Prometheus keeps no exemplars")
	}
	var dashboards struct {
		Version   int `yaml:"apiVersion"`
		Providers []struct {
			Name, Folder, Type string
			AllowUIUpdates     bool `yaml:"allowUiUpdates"`
			Options            struct{ Path string }
		}
	}
	readYAML(t, "compose/grafana/provisioning/dashboards/parley.yaml", &dashboards)
	if target := mounted(t, "grafana", "k8s/parley/files/dashboard.json"); len(dashboards.Providers) != 1 || !strings.HasPrefix(target, dashboards.Providers[0].Options.Path+"/") {
		t.Errorf("the dashboard is at %s, read from %+v", target, dashboards.Providers)
	}
}

func TestTempo_takes_what_services_send(t *testing.T) {
	var cfg map[string]any
	readYAML(t, "compose/tempo.yaml", &cfg)
	var path any = cfg
	for _, key := range []string{"distributor", "receivers", "otlp", "protocols", "http", "endpoint"} {
		path = path.(map[string]any)[key]
	}
	if path != "0.0.0.0:4318" {
		t.Errorf("OTLP over HTTP at %v", path)
	}
	if target := mounted(t, "tempo", "compose/tempo.yaml"); !slices.Contains(project(t).Services["tempo"].Command, "-config.file="+target) {
		t.Errorf("Tempo is started with %v", project(t).Services["tempo"].Command)
	}
}
