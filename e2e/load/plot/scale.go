package plot

import (
	"errors"
	"math"
	"slices"
)

// scale places the values of an axis between two pixels.
type scale struct {
	log      bool
	from, to float64 // values
	first    float64 // pixel of from
	last     float64 // pixel of to
	ticks    []float64
}

// wanted is about how many numbers stand at an axis.
const wanted = 6

func newScale(a Axis, values []float64, first, last float64) (scale, error) {
	s := scale{log: a.Log, first: first, last: last}
	if len(values) == 0 {
		return s, errors.New("there is nothing to draw")
	}
	least, most := slices.Min(values), slices.Max(values)
	switch {
	case math.IsNaN(least) || math.IsInf(most, 0) || least < 0:
		return s, errors.New("a value is negative or no number")
	case a.Log && least <= 0:
		return s, errors.New("a logarithmic axis has no 0")
	case a.Log:
		s.decades(least, most)
	default:
		s.steps(most)
	}
	return s, nil
}

// steps spans 0 to a round number, in round steps.
func (s *scale) steps(most float64) {
	if most == 0 {
		most = 1
	}
	step := math.Pow(10, math.Floor(math.Log10(most/wanted)))
	for _, times := range []float64{1, 2, 5, 10} {
		if most/(step*times) <= wanted {
			step *= times
			break
		}
	}
	n := math.Ceil(most/step - 1e-9)
	s.to = n * step
	for i := range int(n) + 1 {
		s.ticks = append(s.ticks, float64(i)*step)
	}
}

// decades spans numbers that begin with 1, 2 or 5, all of them marked, or only
// the powers of ten where these are many.
func (s *scale) decades(least, most float64) {
	var all []float64
	for e := math.Floor(math.Log10(least)); ; e++ {
		for _, times := range []float64{1, 2, 5} {
			all = append(all, times*math.Pow(10, e))
		}
		if all[len(all)-1] >= most*10 {
			break
		}
	}
	from := 0 // the last that is not above least
	for from+1 < len(all) && all[from+1] <= least {
		from++
	}
	to := from + 1 // the first that is not below most
	for to+1 < len(all) && all[to] < most {
		to++
	}
	s.from, s.to = all[from], all[to]
	marked := all[from : to+1]
	if len(marked) > 2*wanted {
		marked = slices.DeleteFunc(slices.Clone(marked), func(v float64) bool {
			exponent := math.Log10(v)
			return math.Abs(exponent-math.Round(exponent)) > 1e-9
		})
	}
	s.ticks = marked
}

// at is the pixel of a value.
func (s scale) at(v float64) float64 {
	share := (v - s.from) / (s.to - s.from)
	if s.log {
		share = math.Log(v/s.from) / math.Log(s.to/s.from)
	}
	return s.first + share*(s.last-s.first)
}
