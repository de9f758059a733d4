//go:build !gpu

package main

const linkage = "static"
