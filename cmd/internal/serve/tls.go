package serve

import "crypto/tls"

// readCertificate reads a certificate, the chain below it and its key.
func readCertificate(cert, key string) (*tls.Certificate, error) {
	c, err := tls.LoadX509KeyPair(cert, key)
	return &c, err
}

// encrypted is how connections are encrypted with a certificate, also with one that takes the place of the first.
func encrypted(c *watched[*tls.Certificate]) *tls.Config {
	return &tls.Config{
		MinVersion:     tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.get(), nil },
	}
}
