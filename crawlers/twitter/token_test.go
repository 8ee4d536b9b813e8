package twitter

import "testing"

// The values were computed by a JavaScript engine with the expression that X's
// embed script uses.
func TestToken(t *testing.T) {
	for id, want := range map[string]string{
		"20":                  "6dq1a2xwd93",
		"100000":              "oma1s8k7kf",
		"29700859247":         "4cpz7ioa439",
		"702136612822634496":  "1p9ts2zrvt9",
		"999999999999999999":  "2f9lc2ug9mm",
		"1234567890123456789": "2zqic77uqyk",
		"1629307668568633344": "3y6mctgwzxo",
		"1841206275088290279": "4gobiuxs3yx",
		"2023357708301455483": "4wkkd5uwebk",
		"":                    "", "x": "", "-1": "", "0": "", "1e5": "",
	} {
		if got := Token(id); got != want {
			t.Errorf("Token(%q) = %q, want %q", id, got, want)
		}
	}
}
