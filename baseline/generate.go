package baseline

//go:generate go run ./internal/schemagen
