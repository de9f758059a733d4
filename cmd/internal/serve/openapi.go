package serve

import (
	_ "embed"
	"encoding/json"
	"net/http"
)

// apiDescription is the OpenAPI description of all addresses.
//
//go:embed openapi.json
var apiDescription []byte

// usualInference is where whisper.cpp's interface is unless --inference-path says otherwise.
const usualInference = "/inference"

// describe sends the OpenAPI description.
func (s *Server) describe(w http.ResponseWriter, _ *http.Request) error {
	d, err := describeAt(s.InferencePath)
	if err != nil {
		return err
	}
	return reply(w, "application/json", d)
}

// describeAt is the description of a server whose whisper.cpp interface is at a path, and not what else would be there.
func describeAt(inference string) ([]byte, error) {
	if inference == usualInference {
		return apiDescription, nil
	}
	var all, paths map[string]json.RawMessage
	if err := json.Unmarshal(apiDescription, &all); err != nil {
		return nil, err
	}
	if err := json.Unmarshal(all["paths"], &paths); err != nil {
		return nil, err
	}
	paths[inference] = paths[usualInference]
	delete(paths, usualInference)
	var err error
	if all["paths"], err = json.Marshal(paths); err != nil {
		return nil, err
	}
	return json.Marshal(all)
}
