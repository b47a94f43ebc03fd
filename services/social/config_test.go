package social

import "testing"

func TestConfig_check(t *testing.T) {
	fine := Config{MaxMembers: memberLimit, MaxRooms: roomLimit}
	if err := fine.check(); err != nil {
		t.Error(err)
	}
	for name, change := range map[string]func(*Config){
		"SOCIAL_MAX_MEMBERS must be 1 to 5000": func(c *Config) { c.MaxMembers++ },
		"SOCIAL_MAX_ROOMS must be 1 to 20000":  func(c *Config) { c.MaxRooms = 0 },
	} {
		cfg := fine
		change(&cfg)
		if err := cfg.check(); err == nil || err.Error() != name {
			t.Errorf("%s: %v", name, err)
		}
	}
}
