package dashboard

import (
	"fmt"
	"strings"
)

// chosen are the matchers of the variables at the dashboard's top.
const chosen = `service=~"$service", instance=~"$instance"`

// selector is a metric under the dashboard's variables and further matchers.
func selector(metric string, matchers ...string) string {
	return metric + "{" + strings.Join(append([]string{chosen}, matchers...), ", ") + "}"
}

// rate is how much a counter grows a second, in sum for each value of the
// labels by; by may be empty.
func rate(by, metric string, matchers ...string) string {
	return sum(by, fmt.Sprintf("rate(%s[$__rate_interval])", selector(metric, matchers...)))
}

// gauge is a gauge's sum for each value of the labels by.
func gauge(by, metric string) string {
	return sum(by, selector(metric))
}

func sum(by, expr string) string {
	if by == "" {
		return "sum(" + expr + ")"
	}
	return fmt.Sprintf("sum by (%s) (%s)", by, expr)
}

// quantile is what a part q of a histogram's observations stays below, for
// each value of the labels by.
func quantile(q float64, by, histogram string, matchers ...string) string {
	return fmt.Sprintf("histogram_quantile(%g, %s)", q, rate(strings.TrimSuffix("le, "+by, ", "), histogram+"_bucket", matchers...))
}

// mean is the average of a histogram's observations.
func mean(histogram string, matchers ...string) string {
	return rate("", histogram+"_sum", matchers...) + " / " + rate("", histogram+"_count", matchers...)
}
