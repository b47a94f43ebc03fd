package dashboard

import (
	"bytes"
	"encoding/json"
	"fmt"
)

const (
	uid    = "parley"
	width  = 24 // columns of Grafana's grid
	across = 4  // panels side by side
	height = 7  // of a panel, in the grid's rows
)

// prometheus is the data source that is chosen at the dashboard's top.
var prometheus = object{"type": "prometheus", "uid": "${datasource}"}

type object map[string]any

// Render returns the dashboard as Grafana imports it, a panel a line.
func Render() ([]byte, error) {
	var panels []object
	id, y := 0, 0
	for _, r := range rows() {
		id++
		panels = append(panels, object{"id": id, "type": "row", "title": r.title, "collapsed": false, "panels": []object{}, "gridPos": at(0, y, width, 1)})
		y++
		for i, p := range r.panels {
			id++
			drawn := p.draw(id)
			drawn["gridPos"] = at(i%across*width/across, y+i/across*height, width/across, height)
			panels = append(panels, drawn)
		}
		y += (len(r.panels) + across - 1) / across * height
	}
	return lines(object{
		"uid": uid, "title": "Parley", "tags": []string{"parley"}, "schemaVersion": 39, "editable": true, "graphTooltip": 1,
		"refresh": "30s", "time": object{"from": "now-1h", "to": "now"}, "timezone": "",
		"templating": object{"list": variables()}, "annotations": object{"list": []object{}},
	}, panels)
}

// lines writes the panels one a line, so that a change of one is a change of a
// line.
func lines(head object, panels []object) ([]byte, error) {
	text, err := encode(head)
	if err != nil {
		return nil, fmt.Errorf("write dashboard: %w", err)
	}
	var out bytes.Buffer
	out.Write(bytes.TrimSuffix(text, []byte("}")))
	out.WriteString(",\n\"panels\": [\n")
	for i, p := range panels {
		if i > 0 {
			out.WriteString(",\n")
		}
		text, err := encode(p)
		if err != nil {
			return nil, fmt.Errorf("write panel: %w", err)
		}
		out.Write(text)
	}
	out.WriteString("\n]}\n")
	return out.Bytes(), nil
}

// encode is json.Marshal that leaves the > of expressions readable.
func encode(o object) ([]byte, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(o)
	return bytes.TrimSpace(out.Bytes()), err
}

func at(x, y, w, h int) object { return object{"x": x, "y": y, "w": w, "h": h} }

// draw is a panel in Grafana's words.
func (p panel) draw(id int) object {
	var targets []object
	for i, l := range p.lines {
		targets = append(targets, object{
			"refId": string(rune('A' + i)), "datasource": prometheus, "expr": l.expr, "legendFormat": l.legend, "range": true, "exemplar": l.traces,
		})
	}
	return object{
		"id": id, "type": "timeseries", "title": p.title, "description": p.says, "datasource": prometheus, "targets": targets,
		"fieldConfig": object{
			"defaults":  object{"unit": p.unit, "min": 0, "custom": object{"fillOpacity": 8, "showPoints": "never"}},
			"overrides": []object{},
		},
		"options": object{
			"legend":  object{"displayMode": "list", "placement": "bottom"},
			"tooltip": object{"mode": "multi", "sort": "desc"},
		},
	}
}

// variables are what can be chosen at the dashboard's top.
func variables() []object {
	choice := func(name, query string) object {
		return object{
			"name": name, "label": name, "type": "query", "datasource": prometheus, "query": object{"query": query, "refId": name},
			"definition": query, "refresh": 2, "sort": 1, "multi": true, "includeAll": true, "allValue": ".*",
			"current": object{"text": "All", "value": "$__all"},
		}
	}
	return []object{
		{"name": "datasource", "label": "data source", "type": "datasource", "query": "prometheus"},
		choice("service", "label_values(parley_build_info, service)"),
		choice("instance", `label_values(parley_build_info{service=~"$service"}, instance)`),
	}
}
