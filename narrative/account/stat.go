package account

import "math"

// poissonUpper is Pr(X >= k) of a Poisson X with the given mean. It sums the
// smaller side, so small tails keep their digits.
func poissonUpper(mean float64, k int) float64 {
	if k <= 0 {
		return 1
	}
	if mean <= 0 {
		return 0
	}
	if float64(k) <= mean {
		return 1 - poissonLower(mean, k-1)
	}
	term := poissonAt(mean, k)
	sum := term
	for i := k + 1; term > sum*1e-17; i++ {
		term *= mean / float64(i)
		sum += term
	}
	return math.Min(1, sum)
}

// poissonLower is Pr(X <= k).
func poissonLower(mean float64, k int) float64 {
	if k < 0 {
		return 0
	}
	if mean <= 0 {
		return 1
	}
	term := poissonAt(mean, k)
	sum := term
	for i := k; i > 0 && term > sum*1e-17; i-- {
		term *= float64(i) / mean
		sum += term
	}
	return math.Min(1, sum)
}

func poissonAt(mean float64, k int) float64 {
	lg, _ := math.Lgamma(float64(k) + 1)
	return math.Exp(float64(k)*math.Log(mean) - mean - lg)
}

// fisher is the one-sided P of Fisher's exact test: the probability of k or more
// of n, when k+j of n+m have the trait and which ones is left to chance.
func fisher(k, n, j, m int) float64 {
	trait, all := k+j, n+m
	var sum float64
	for i := k; i <= min(n, trait); i++ {
		if trait-i > m {
			continue
		}
		sum += math.Exp(choose(trait, i) + choose(all-trait, n-i) - choose(all, n))
	}
	return math.Min(1, sum)
}

// choose is the logarithm of the binomial coefficient.
func choose(n, k int) float64 {
	if k < 0 || k > n {
		return math.Inf(-1)
	}
	a, _ := math.Lgamma(float64(n) + 1)
	b, _ := math.Lgamma(float64(k) + 1)
	c, _ := math.Lgamma(float64(n-k) + 1)
	return a - b - c
}
