package serve

import "testing"

func TestAddress(t *testing.T) {
	for _, test := range []struct{ host, path, want string }{
		{"127.0.0.1", "", "http://127.0.0.1:80/"},
		{"0.0.0.0", "", "http://localhost:80/"},
		{"::", "/a", "http://localhost:80/a/"},
		{"", "", "http://localhost:80/"},
		{"::1", "", "http://[::1]:80/"},
		{"box.lan", "/a/b", "http://box.lan:80/a/b/"},
	} {
		s := settings{host: test.host}
		s.RequestPath = test.path
		if got := s.address("http", "80"); got != test.want {
			t.Errorf("%q below %q: %s, want %s", test.host, test.path, got, test.want)
		}
	}
}

func TestBrowse(t *testing.T) {
	for _, env := range []map[string]string{
		{"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22", "DISPLAY": ":0"},
		{"SSH_CONNECTION": "10.0.0.1 1 10.0.0.2 22"},
	} {
		if browse(func(name string) string { return env[name] }, nil) != nil {
			t.Errorf("a browser would open with %v", env)
		}
	}
}
