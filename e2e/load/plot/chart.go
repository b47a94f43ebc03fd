// Package plot draws line charts as SVG, for documents: small files that a diff
// can show, readable on a light and on a dark page.
package plot

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"math"
	"strconv"
)

// Chart is a line chart.
type Chart struct {
	Title string
	X, Y  Axis
	// Series are drawn in the order given, four at most: there are no more
	// colours that everyone can tell apart.
	Series []Series
}

// Axis is one of a chart's two.
type Axis struct {
	Label string // with its unit
	Log   bool   // by powers of ten; values must be more than 0. Else it begins at 0
}

// Series is one line.
type Series struct {
	Name   string
	Dashed bool // for what is compared with
	Points []Point
}

// Point is one value, not negative.
type Point struct{ X, Y float64 }

// The picture, in pixels.
const (
	width, height           = 640, 380
	left, right, top, below = 74, 22, 66, 54
)

// style follows the page: colours by Okabe and Ito, which the colour-blind can
// tell apart, lighter on a dark page.
const style = `<style>
text { font: 12px system-ui, sans-serif; fill: #444 } .title { font-size: 15px; font-weight: 600; fill: #222 }
.grid { stroke: #ddd } .axis { stroke: #888 } .line { fill: none; stroke-width: 2 } .dashed { stroke-dasharray: 5 4 }
.c0 { stroke: #0072b2 } .c1 { stroke: #d55e00 } .c2 { stroke: #009e73 } .c3 { stroke: #9b4f8a }
.p0 { fill: #0072b2 } .p1 { fill: #d55e00 } .p2 { fill: #009e73 } .p3 { fill: #9b4f8a }
@media (prefers-color-scheme: dark) {
text { fill: #bbb } .title { fill: #eee } .grid { stroke: #3a3a3a } .axis { stroke: #777 }
.c0 { stroke: #56b4e9 } .c1 { stroke: #e69f00 } .c2 { stroke: #2bc59a } .c3 { stroke: #e29ccf }
.p0 { fill: #56b4e9 } .p1 { fill: #e69f00 } .p2 { fill: #2bc59a } .p3 { fill: #e29ccf }
}
</style>
`

// SVG draws the chart. The same chart is always the same bytes.
func (c Chart) SVG() ([]byte, error) {
	x, y, err := c.scales()
	if err != nil {
		return nil, fmt.Errorf("draw %q: %w", c.Title, err)
	}
	d := drawing{x: x, y: y}
	d.add(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %d %d" width="%d" height="%d" role="img" aria-label="%s">`+"\n",
		width, height, width, height, escape(c.Title))
	d.out.WriteString(style)
	d.add(`<text class="title" x="%d" y="24">%s</text>`+"\n", left, escape(c.Title))
	d.axes(c.X.Label, c.Y.Label)
	d.legend(c.Series)
	for i, s := range c.Series {
		d.series(i, s)
	}
	d.out.WriteString("</svg>\n")
	return d.out.Bytes(), nil
}

// scales find out what both axes span.
func (c Chart) scales() (x, y scale, err error) {
	if len(c.Series) == 0 || len(c.Series) > 4 {
		return x, y, fmt.Errorf("%d series, there must be 1 to 4", len(c.Series))
	}
	var xs, ys []float64
	for _, s := range c.Series {
		for _, p := range s.Points {
			xs, ys = append(xs, p.X), append(ys, p.Y)
		}
	}
	if x, err = newScale(c.X, xs, left, width-right); err != nil {
		return x, y, fmt.Errorf("x: %w", err)
	}
	if y, err = newScale(c.Y, ys, height-below, top); err != nil {
		return x, y, fmt.Errorf("y: %w", err)
	}
	return x, y, nil
}

// drawing is an SVG on its way.
type drawing struct {
	out  bytes.Buffer
	x, y scale
}

func (d *drawing) add(format string, args ...any) { fmt.Fprintf(&d.out, format, args...) }

// axes draws the grid with its numbers, the two axes and what they are.
func (d *drawing) axes(xLabel, yLabel string) {
	for _, v := range d.y.ticks {
		at := px(d.y.at(v))
		d.add(`<line class="grid" x1="%d" x2="%d" y1="%s" y2="%s"/>`, left, width-right, at, at)
		d.add(`<text x="%d" y="%s" dy="4" text-anchor="end">%s</text>`+"\n", left-8, at, label(v))
	}
	for _, v := range d.x.ticks {
		at := px(d.x.at(v))
		d.add(`<line class="grid" x1="%s" x2="%s" y1="%d" y2="%d"/>`, at, at, top, height-below)
		d.add(`<text x="%s" y="%d" text-anchor="middle">%s</text>`+"\n", at, height-below+18, label(v))
	}
	d.add(`<path class="axis" fill="none" d="M%d %dV%dH%d"/>`+"\n", left, top, height-below, width-right)
	d.add(`<text x="%d" y="%d" text-anchor="middle">%s</text>`+"\n", (left+width-right)/2, height-12, escape(xLabel))
	d.add(`<text transform="translate(16 %d) rotate(-90)" text-anchor="middle">%s</text>`+"\n", (top+height-below)/2, escape(yLabel))
}

// legend names the series in a row above the chart, when there are several.
func (d *drawing) legend(series []Series) {
	if len(series) < 2 {
		return
	}
	at := left
	for i, s := range series {
		d.add(`<path class="line %s" d="M%d 45h22"/>`, class(i, s), at)
		if !s.Dashed {
			d.out.WriteString(mark(i, float64(at+11), 45, ""))
		}
		d.add(`<text x="%d" y="49">%s</text>`+"\n", at+28, escape(s.Name))
		at += 28 + 7*len([]rune(s.Name)) + 18
	}
}

// series draws a line and its points, each with its numbers for whoever points
// at it.
func (d *drawing) series(i int, s Series) {
	if len(s.Points) == 0 {
		return
	}
	d.add(`<path class="line %s" d="`, class(i, s))
	for n, p := range s.Points {
		d.out.WriteString(string("ML"[min(n, 1)]) + px(d.x.at(p.X)) + " " + px(d.y.at(p.Y)))
	}
	d.out.WriteString(`"/>` + "\n")
	if s.Dashed {
		return
	}
	for _, p := range s.Points {
		d.out.WriteString(mark(i, d.x.at(p.X), d.y.at(p.Y), fmt.Sprintf("%s: %s at %s", s.Name, label(p.Y), label(p.X))) + "\n")
	}
}

func class(i int, s Series) string {
	if s.Dashed {
		return fmt.Sprintf("c%d dashed", i)
	}
	return fmt.Sprintf("c%d", i)
}

// mark is a series's own shape, so that colour is not all that tells them
// apart.
func mark(i int, x, y float64, about string) string {
	shape := []string{"a4 4 0 1 0 8 0a4 4 0 1 0 -8 0", "v-4h8v8h-8z", "l4 -5l4 5l-4 5z", "l4 -4l4 8h-8z"}[i]
	return fmt.Sprintf(`<path class="p%d" d="M%s %s%s"><title>%s</title></path>`, i, px(x-4), px(y), shape, escape(about))
}

// px is a place, to a tenth of a pixel.
func px(v float64) string { return strconv.FormatFloat(math.Round(v*10)/10, 'f', -1, 64) }

// label writes a number in up to four digits; thousands are k, millions M.
func label(v float64) string {
	short := func(v float64) string { return strconv.FormatFloat(v, 'g', 3, 64) }
	switch {
	case v >= 1e6:
		return short(v/1e6) + "M"
	case v >= 1e4:
		return short(v/1e3) + "k"
	case v >= 1000:
		return strconv.FormatFloat(v, 'f', 0, 64)
	default:
		return short(v)
	}
}

func escape(text string) string {
	var b bytes.Buffer
	_ = xml.EscapeText(&b, []byte(text)) // a buffer takes all
	return b.String()
}
