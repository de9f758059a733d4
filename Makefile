# The only entry point. `make` builds the programs and transcribes a clip; `make help` lists the rest.

export CGO_ENABLED ?= 0

DIST     := dist
BIN      := $(DIST)/native
PROGRAMS := $(notdir $(patsubst %/,%,$(dir $(wildcard cmd/*/main.go))))
CLIP     := testdata/austen-0870.wav

# Calling a GPU's driver would tie Linux programs to glibc. TAGS= builds them so.
TAGS ?= nogpu

# The same commit, version, tags and Go make the same bytes, wherever the checkout is. git may refuse to be asked, or not be there.
VERSION    ?=
VCS        := $(shell git rev-parse HEAD >/dev/null 2>&1 && echo true || echo false)
# urfave_cli_no_docs leaves out a writer of documents whose tables would be built at every start.
BUILDFLAGS := -trimpath -buildvcs=$(VCS) -tags 'urfave_cli_no_docs $(TAGS)' -ldflags '-s -w$(VERSION:%= -X github.com/whisperfile/whisperfile/cmd/internal/cli.version=%)'
EXE        := $(if $(filter windows,$(GOOS)),.exe)

PREFIX  ?= /usr/local
DESTDIR ?=
BINDIR  ?= $(PREFIX)/bin
DATADIR ?= $(PREFIX)/share
MANDIR  ?= $(DATADIR)/man
LINKS   ?= zipalign assimilate
FORCE   ?=

FUZZTIME  ?= 1m
TESTFLAGS ?=
PEERS     ?=
LOAD      ?=
AUDIO     ?=
MINUTES   ?= 30

.PHONY: all
all: build man hear ## build everything and transcribe a clip (the default)

.PHONY: build
build: $(PROGRAMS:%=$(BIN)/%$(EXE)) ## build the programs into dist/native/ (GOOS= and GOARCH= for another system)

# go build decides what is out of date. What is put into whisperfile behind it is replaced only where it differs.
.PHONY: $(PROGRAMS:%=$(BIN)/%$(EXE))
$(PROGRAMS:%=$(BIN)/%$(EXE)):
	go build $(BUILDFLAGS) -o $@ ./cmd/$(notdir $(@:$(EXE)=))
	$(if $(filter whisperfile,$(notdir $(@:$(EXE)=))),GOOS= GOARCH= go run ./cmd/internal/provenance/attach -version '$(VERSION)' $@)

.PHONY: hear
hear: $(BIN)/whisperfile ## transcribe a clip of testdata with the weights inside dist/native/whisperfile
	$(BIN)/whisperfile -f $(CLIP)

# Programs for other systems do not run here, so what they say of themselves is asked of one for this system.
.PHONY: man pdf $(DIST)/host/whisperfile
$(DIST)/host/whisperfile:
	GOOS= GOARCH= go build $(subst -tags 'urfave_cli_no_docs $(TAGS)',-tags 'urfave_cli_no_docs nogpu noweights',$(BUILDFLAGS)) -o $@ ./cmd/whisperfile
man: $(DIST)/host/whisperfile ## write manual pages into dist/man/ and completions for shells into dist/completions/
	scripts/man.sh $(DIST) $<
pdf: $(DIST)/host/whisperfile ## typeset the manual pages into dist/man/*.pdf (needs groff)
	scripts/man.sh $(DIST) $< --pdf

# Root takes what is built in a folder of somebody else, and leaves nothing of its own there.
.PHONY: install uninstall
install: $(if $(shell [ "$$(id -u)" = 0 ] && find Makefile ! -user 0),,build man) ## install below PREFIX=/usr/local (DESTDIR= BINDIR= DATADIR= MANDIR=; LINKS= for no zipalign, assimilate; FORCE=1)
	@$(INSTALL) install
uninstall: ## remove exactly what make install has put (with the same variables)
	@$(INSTALL) uninstall
INSTALL = DIST='$(DIST)' BIN='$(BIN)' PREFIX='$(PREFIX)' DESTDIR='$(DESTDIR)' BINDIR='$(BINDIR)' DATADIR='$(DATADIR)' MANDIR='$(MANDIR)' LINKS='$(LINKS)' FORCE='$(FORCE)' scripts/install.sh

.PHONY: dist
dist: ## pack archives for all systems into dist/, with SHA256SUMS (PLATFORMS=linux/arm64 for some; VERSION=; SOURCE_DATE_EPOCH=)
	scripts/dist.sh $(DIST) $(PLATFORMS)

.PHONY: whisperfile
whisperfile: ## make dist/whisperfile, one file for six systems, and dist/whisper.tiny.en.llamafile with a model inside (VERSION=)
	VERSION='$(VERSION)' scripts/whisperfile.sh $(DIST)

.PHONY: check-fat
check-fat: whisperfile ## read the builds in dist/whisperfile as their systems' loaders do
	FAT=$(abspath $(DIST)/whisperfile) go test -count=1 -run '^TestFormats$$' $(TESTFLAGS) ./cmd/internal/fat

.PHONY: reproducible
reproducible: ## build this commit in two folders and compare the bytes
	scripts/reproducible.sh

.PHONY: sbom
sbom: $(BIN)/whisperfile ## hold the bill of materials in dist/native/whisperfile against CycloneDX's schema (its validator goes into the cache directory)
	scripts/sbom.sh $(BIN)/whisperfile

.PHONY: test
test: ## run all tests that need nothing but this checkout
	go test $(TESTFLAGS) ./...
	go test $(TESTFLAGS) -tags nogpu ./cmd/internal/sandbox

.PHONY: fuzz
fuzz: ## run every fuzz target for a minute (FUZZTIME=10s for less)
	scripts/fuzz.sh $(FUZZTIME)

.PHONY: bench
bench: ## run all benchmarks, for benchstat
	go test -run '^$$' -bench . -benchtime 200ms ./...

.PHONY: bench-peers
bench-peers: ## measure the model beside other engines, in turn (Linux; half an hour; PEERS=--help)
	scripts/peers/run.sh bench.py $(PEERS)

.PHONY: clients
clients: $(BIN)/whisperfile ## try whisper-server with OpenAI's clients for Python and Node (installed into the cache directory)
	scripts/clients.sh $(BIN)/whisperfile

# Figures count on a machine that does nothing else.
.PHONY: load
load: $(BIN)/whisper $(BIN)/whisper-server models ## put whisper-server under load (a quarter of an hour; AUDIO=FILE to hear that; LOAD=-help)
	go run ./scripts/load -audio '$(AUDIO)' $(LOAD)

.PHONY: wer
wer: ## count word errors beside whisper.cpp's, in every type and way (WER_CLIPS=DIR for more clips)
	scripts/peers/run.sh wer.py $(PEERS)

.PHONY: instructions instructions-update
instructions: ## hold the instructions that kernels execute against scripts/instructions.txt (needs valgrind)
	scripts/instructions.sh
instructions-update: ## raise the numbers in scripts/instructions.txt to those of now
	scripts/instructions.sh update

.PHONY: lint
lint: ## gofmt, go vet, golangci-lint
	@files=$$(gofmt -l *.go audio cmd ggml gpu model scripts) && [ -z "$$files" ] || { echo "gofmt would change:" $$files >&2; exit 1; }
	go vet ./...
	golangci-lint run

.PHONY: generate
generate: ## emit the generated assembly and NOTICE anew
	go generate ./...

.PHONY: check-generated
check-generated: ## prove that the generated assembly and NOTICE are current
	scripts/check-generated.sh

.PHONY: vet-all
vet-all: ## go vet for every system and processor that is supported
	scripts/vet-all.sh

# The detector does not see what assembly reads and writes. Whole clips are heard with it nevertheless: without, an hour would not do.
.PHONY: race
race: ## run the short tests under the race detector (needs a C compiler)
	CGO_ENABLED=1 go test -race -short -tags noasm $(TESTFLAGS) ./audio/... ./cmd/internal/... ./ggml/...
	CGO_ENABLED=1 WHISPER_MODELS=none go test -race -short $(TESTFLAGS) ./model/... ./cmd/whisperfile

.PHONY: checkptr
checkptr: ## run the short tests with every unsafe cast checked
	go test -short -gcflags=all=-d=checkptr $(TESTFLAGS) ./...

.PHONY: qemu qemu-arm64 qemu-amd64
qemu: qemu-arm64 qemu-amd64 ## run library tests and a 3 s clip on emulated processors (needs qemu-user)
qemu-arm64:
	scripts/qemu.sh arm64 qemu-aarch64 max neon dotprod
	RUNGS=neon GOARCH=arm64 go test -short -vet=off -exec "qemu-aarch64 -cpu cortex-a72" -run 'Allocs|Choose|Required|Rungs' ./ggml/internal/...
qemu-amd64:
	scripts/qemu.sh amd64 qemu-x86_64 Haswell avx2
	RUNGS=avx go test -short -vet=off -exec "qemu-x86_64 -cpu SandyBridge" ./ggml/internal/...

.PHONY: wine
wine: ## run the fat file's Windows program, and tests as Windows programs, under wine
	scripts/wine.sh $(TESTFLAGS)

.PHONY: models
models: ## get the models tiny.en and base, for tests that want larger ones
	scripts/get-model.sh tiny.en base

.PHONY: oracle
oracle: ## compute the golden activations of random models anew (needs python3 with numpy)
	go test ./model/internal/synth -run TestGolden -update

.PHONY: transformers-check
transformers-check: ## compute logits of random models with Hugging Face's transformers anew, and compare (needs python3 with torch and transformers)
	go test ./model/internal/synth -run TestTransformers -update
	go test ./model -run TestTransformers -v

.PHONY: long
long: ## hear MINUTES=30 of clips joined with silence and noise, with every model that is here: none is lost, none there twice
	WHISPER_LONG=$(MINUTES) go test ./model -run 'TestLong$$' -timeout 6h -v

.PHONY: clean
clean: ## remove dist/
	rm -rf $(DIST)

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-20s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
