package main

import (
	"fmt"
	"os"
	"path/filepath"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
)

// line is one line of a plot.
type line struct {
	name   string
	points plotter.XYs
}

// figure is a plot with logarithmic axes.
type figure struct {
	file, title, x, y string
	lines             []line
}

// plot writes the plots for which there are figures, and returns their names.
func (p report) plot(dir string) (names []string, err error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	for _, f := range []figure{
		{"throughput.svg", "YCSB A, 20,000 rows, drain included", "goroutines", "operations per second", p.throughput("ycsb-a")},
		{"throughput-1ms.svg", "YCSB A, 1 ms of round trip, drain included", "goroutines", "operations per second", p.throughput("ycsb-a-1ms")},
		{"latency.svg", "UPDATE by key, 16 goroutines", "share of slower ones", "µs", p.latencies("update", 16)},
		{"drain.svg", "UPDATEs until they are in PostgreSQL", "rows per transaction", "rows per second", p.batches()},
	} {
		if len(f.lines) == 0 {
			continue
		}
		if err := f.save(filepath.Join(dir, f.file)); err != nil {
			return nil, fmt.Errorf("%s: %w", f.file, err)
		}
		names = append(names, f.file)
	}
	return names, nil
}

// each calls f for every measured case.
func (p report) each(f func(c benchCase, samples []sample)) {
	for _, m := range p.suites {
		for _, c := range m.cases {
			f(c, p.results[c.name()])
		}
	}
}

// linesOf collects points by subject.
type linesOf struct{ lines []line }

func (l *linesOf) add(subject string, x, y float64) {
	for i := range l.lines {
		if l.lines[i].name == subject {
			l.lines[i].points = append(l.lines[i].points, plotter.XY{X: x, Y: y})
			return
		}
	}
	l.lines = append(l.lines, line{subject, plotter.XYs{{X: x, Y: y}}})
}

func (p report) throughput(operation string) []line {
	var l linesOf
	p.each(func(c benchCase, samples []sample) {
		if c.operation.About().name == operation {
			l.add(c.subject.Name, float64(c.goroutines), spreadBy(samples, sample.perSecond).median)
		}
	})
	return l.lines
}

// latencies shows how long the slowest ones take.
func (p report) latencies(operation string, goroutines int) []line {
	var l linesOf
	p.each(func(c benchCase, samples []sample) {
		if c.operation.About().name != operation || c.goroutines != goroutines {
			return
		}
		h := merged(samples)
		if h.Count() == 0 {
			return
		}
		for _, slower := range []float64{0.9, 0.75, 0.5, 0.25, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002, 0.001} {
			l.add(c.subject.Name, slower, max(float64(h.Quantile(1-slower))/1000, 0.01))
		}
	})
	return l.lines
}

func (p report) batches() []line {
	var l linesOf
	p.each(func(c benchCase, samples []sample) {
		if o, ok := c.operation.(batchOf); ok {
			l.add(c.subject.Name, float64(o.size), spreadBy(samples, sample.perSecond).median)
		}
	})
	return l.lines
}

func (f figure) save(path string) error {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = f.title, f.x, f.y
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	p.X.Tick.Marker, p.Y.Tick.Marker = plot.LogTicks{Prec: -1}, plot.LogTicks{Prec: -1}
	p.Legend.Top = true
	p.Add(plotter.NewGrid())
	for i, l := range f.lines {
		drawn, points, err := plotter.NewLinePoints(l.points)
		if err != nil {
			return err
		}
		drawn.Color, points.Color = plotutil.Color(i), plotutil.Color(i)
		drawn.Width, points.Shape = vg.Points(1.5), plotutil.Shape(i)
		drawn.Dashes = plotutil.Dashes(i / 7)
		p.Add(drawn, points)
		p.Legend.Add(l.name, drawn, points)
	}
	// Room for the legend.
	p.Y.Max *= 10
	if p.X.Min == p.X.Max {
		p.X.Min, p.X.Max = p.X.Min/2, p.X.Max*2
	}
	return p.Save(18*vg.Centimeter, 12*vg.Centimeter, path)
}
