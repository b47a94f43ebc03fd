package faults

import (
	"fmt"
	"math/rand/v2"
	"slices"
)

// Plan is a room that a run is to have. People are named by their number.
type Plan struct {
	Name    string
	Direct  bool  // of Owner and the one in Members
	Owner   int   // befriends all others
	Members []int // from the beginning, without the owner
	Late    []int // who join in the middle of the run
}

const (
	leastGroup = 3
	mostGroup  = 20
	// churners are the people, the last ones, who make and break friendships
	// and groups among themselves, and are in no planned room.
	churners = 6
)

// PlanRooms lays out rooms for people: one in five is direct, the others are
// groups of 3 to 20, one of them of 20 if there are so many people; every
// third group has late members. It follows from its arguments alone.
func PlanRooms(random *rand.Rand, people, rooms int) []Plan {
	people -= churners
	plans := make([]Plan, rooms)
	paired := map[[2]int]bool{}
	for i := range plans {
		order := random.Perm(people)
		if i%5 == 4 {
			for paired[pair(order[0], order[1])] {
				order = random.Perm(people)
			}
			paired[pair(order[0], order[1])] = true
			plans[i] = Plan{Direct: true, Owner: order[0], Members: order[1:2]}
			continue
		}
		most := min(mostGroup, people)
		size := most
		if i > 0 {
			size = leastGroup + random.IntN(most-leastGroup+1)
		}
		p := Plan{Name: fmt.Sprintf("room %d", i), Owner: order[0], Members: order[1:size]}
		if late := min(2, len(p.Members)-1); i%3 == 0 {
			p.Late = p.Members[len(p.Members)-late:]
			p.Members = p.Members[:len(p.Members)-late]
		}
		plans[i] = p
	}
	return plans
}

func pair(a, b int) [2]int { return [2]int{min(a, b), max(a, b)} }

// everyone is all who are, or will be, in the room.
func (p Plan) everyone() []int {
	return slices.Concat([]int{p.Owner}, p.Members, p.Late)
}
