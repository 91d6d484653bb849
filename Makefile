# parley: `make help` lists what can be made.
# One Makefile, no recursion; every variant has its own folder: build/<variant>/.

VARIANT  ?= $(if $(FAULTS),faults,release)
PREFIX   ?= /usr/local
PYTHON   ?= /usr/bin/python3
CC       ?= gcc
WERROR   ?=
T        ?=
# Flow tests wait more than they work: so many files of them at once.
JOBS     ?= 3
V        ?=
Q        := $(if $(V),,@)
say       = $(if $(V),,@printf '  %-4s %s\n' '$(1)' '$(2)')
ifeq ($(MAKELEVEL)$(filter -j%,$(MAKEFLAGS)),0)
MAKEFLAGS += -j$(shell nproc 2>/dev/null || echo 1)
endif
B        := build/$(VARIANT)
VERSION  := $(shell git describe --tags --always --dirty 2>/dev/null || echo unversioned)

PROGRAMS := parley parley-manager parley-worker parley-observer parley-analyzer parley-simulator
LIBS     := hiredis libcurl jansson libmicrohttpd ncursesw
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
            -Wmissing-prototypes -Wwrite-strings -Wformat=2 -Wundef -Wvla -Wcast-qual
FLAGS.release := -O2 -g
FLAGS.asan    := -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
                 -fno-omit-frame-pointer
FLAGS.fuzz := -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all
FLAGS.faults := -O1 -g -DPARLEY_FAULTS
SECONDS  ?= 60
CFLAGS   += -std=c11 -D_POSIX_C_SOURCE=200809L $(WARN) $(WERROR) $(FLAGS.$(VARIANT))
CPPFLAGS += -Icommon -I. -I$(B)
LDLIBS   += -Wl,--as-needed $(shell pkg-config --libs $(LIBS) 2>/dev/null) -lev -lm

COMMON   := $(wildcard common/*/*.c)
SCRIPTS  := $(sort $(wildcard common/scripts/*.lua))
PROMPTS  := $(sort $(wildcard manager/prompts/*.txt worker/prompts/*.txt))
SCHEMAS  := $(sort $(wildcard schemas/*.schema.json))
GEN      := $(B)/gen/embedded.c
COMMON_O := $(COMMON:%.c=$(B)/obj/%.o) $(B)/obj/gen/embedded.o
# The folder of each program; all .c files in it and in its folders are the program.
DIR.parley           := cli
DIR.parley-manager   := manager
DIR.parley-worker    := worker
DIR.parley-observer  := observer
DIR.parley-analyzer  := analyzer
DIR.parley-simulator := simulator
objects   = $(patsubst %.c,$(B)/obj/%.o,$(wildcard $(DIR.$(1))/*.c $(DIR.$(1))/*/*.c))
UNIT     := $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/test_*.c))
PROOFS   := $(patsubst %,tests/flow/test_%.py,faults outage windows cancel hybrid prompts worker_deaths export wall reports hostile_live stand_still fault_rates) tests/screen/test_hostile.py
C_FILES   = $(shell git ls-files -co --exclude-standard '*.c' '*.h')

.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: always all run test check flow asan fuzz lint format headers bench proof deps install help clean unit bench-compare claims chaos bugs soak torture fuzz-all valgrind points golden

all: $(PROGRAMS:%=$(B)/%) $(if $(filter release,$(VARIANT)),parley) ## build everything (the default)

parley: $(B)/parley
	@ln -sfn $(B)/parley parley

define program
$(B)/$(1): $(call objects,$(1)) $(B)/common.a
	$$(call say,LD,$$@)
	$$(Q)$$(CC) $$(CFLAGS) $$(LDFLAGS) -o $$@ $$^ $$(LDLIBS)
endef
$(foreach p,$(PROGRAMS),$(eval $(call program,$(p))))

$(B)/common.a: $(COMMON_O)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^
$(GEN): tools/embed $(SCRIPTS) $(PROMPTS) $(SCHEMAS)
	@mkdir -p $(@D)
	$(call say,GEN,$@)
	$(Q)tools/embed $(SCRIPTS) $(PROMPTS) $(SCHEMAS) > $@
# Rewritten only when the version is another, so that nothing is built for nothing.
$(B)/gen/version.h: always
	@mkdir -p $(@D)
	@echo '#define PARLEY_VERSION "$(VERSION)"' | cmp -s - $@ || echo '#define PARLEY_VERSION "$(VERSION)"' > $@
$(B)/obj/common/base/version.o: $(B)/gen/version.h
$(B)/obj/gen/embedded.o: $(GEN)
	@mkdir -p $(@D)
	$(call say,CC,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -c -o $@ $<
$(B)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<
# A unit test may look into a program's folder: its objects but main.o are linked in.
TEST_O   := $(filter-out %/main.o,$(foreach p,$(PROGRAMS),$(call objects,$(p))))
$(B)/tests.a: $(TEST_O)
	@rm -f $@
	$(Q)$(AR) rcs $@ $^
$(B)/unit/%: tests/unit/%.c $(B)/tests.a $(B)/common.a
	@mkdir -p $(@D)
	$(call say,TEST,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -MF $@.d $(LDFLAGS) -o $@ $< $(B)/tests.a $(B)/common.a $(LDLIBS) -lcmocka
-include $(shell find $(B) -name '*.d' 2>/dev/null)

run: deps ## play a conversation between two personas here and now
	@$(MAKE) --no-print-directory all
	@tools/run $(ARGS)
test: deps ## all tests: units, then flows over a real redis-server
	@$(MAKE) --no-print-directory all unit
	@$(MAKE) --no-print-directory VARIANT=faults all
	@$(MAKE) --no-print-directory flow
check: unit ## the unit tests alone, in seconds; T=name runs one
unit: $(UNIT)
	@tools/run-units $(if $(T),$(B)/unit/test_$(T),$(UNIT))
flow: all $(B)/bench/pingpong $(B)/bench/reader build/torture/shim.so ## the tests over real processes; T=name picks
	PARLEY_BUILD=$(B) $(PYTHON) -m pytest -q -n $(JOBS) --dist loadfile tests/flow tests/screen tests/e2e tests/chaos $(if $(T),-k "$(T)")
golden: all ## take what the screens show now for what they are to show (tests/screen/golden)
	PARLEY_BUILD=$(B) $(PYTHON) -m pytest -q tests/screen/test_golden.py --rewrite-golden
asan: ## build with address and undefined-behaviour sanitizers, run all tests in it
	@$(MAKE) --no-print-directory VARIANT=asan all unit
	@$(MAKE) --no-print-directory VARIANT=asan flow
# clang's libFuzzer; what it finds is kept in build/fuzz, for tests/fuzz/corpus.
FUZZ     := $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
fuzz: ## bytes of all kinds for a parser, T=ndjson (tests/fuzz/fuzz_*.c), SECONDS=60
	@$(MAKE) --no-print-directory VARIANT=fuzz CC=clang build/fuzz/fuzz_$(T)
	tools/fuzz --seconds $(SECONDS) $(T)
fuzz-all: ## SECONDS=60 in all for the parsers by turns, a line each; JSON=
	@$(MAKE) --no-print-directory VARIANT=fuzz CC=clang $(FUZZ:%=build/fuzz/fuzz_%)
	tools/fuzz --seconds $(SECONDS) $(if $(JSON),--json $(JSON)) $(FUZZ)
$(B)/fuzz_%: tests/fuzz/fuzz_%.c $(B)/tests.a $(B)/common.a
	$(call say,FUZZ,$@)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -fsanitize=fuzzer -MMD -MP -MF $@.d $(LDFLAGS) -o $@ $< $(B)/tests.a $(B)/common.a $(LDLIBS)
# What fails one call of a program at a time; tests/torture/shim.c.
build/torture/shim.so: tests/torture/shim.c
	@mkdir -p $(@D)
	$(call say,SO,$@)
	$(Q)$(CC) -std=c11 -O1 -g $(WARN) -Wno-pedantic $(WERROR) -fPIC -shared -o $@ $<
torture: all build/torture/shim.so ## each allocation and system call of each program fails once: FULL=1 BUDGET= JSON=
	PARLEY_BUILD=$(B) $(PYTHON) tests/torture/torture.py $(if $(FULL),--full) $(if $(BUDGET),--budget $(BUDGET)) $(if $(JSON),--json $(JSON))
valgrind: unit $(PROGRAMS:%=$(B)/%) ## units and a few flows under valgrind's memcheck; T=name one unit
	@tools/valgrind $(B) $(if $(T),$(B)/unit/test_$(T),$(UNIT))
lint: deps ## formatting, clang-tidy, cppcheck, layers
	@tools/lint $(C_FILES)
format: ## put all C files into the house format
	clang-format -i $(C_FILES)
headers: ## each header compiles alone
	@for h in $(filter %.h,$(C_FILES)); do $(CC) $(CPPFLAGS) $(CFLAGS) -Werror -fsyntax-only -x c $$h || exit 1; done
# Plain hiredis and nothing of ours: the floor must not share parley's code.
$(B)/bench/pingpong: bench/pingpong.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(shell pkg-config --libs hiredis 2>/dev/null)
$(B)/bench/reader: bench/reader.c
	@mkdir -p $(@D)
	$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $< $(shell pkg-config --libs libcurl 2>/dev/null)
proof: all ## the model servers' tests in their long forms, with the figures they saw
	PARLEY_BUILD=$(B) PARLEY_PROOF=long $(PYTHON) -m pytest -q $(PROOFS)
chaos: all ## a fleet under kills, judged: SEED= TURNS= EVERY= (ms) MODE=kill|stop|redis|tail|cut|proxy|early|mix KILLS= FSYNC= JSON=
	PARLEY_BUILD=$(B) $(PYTHON) tests/chaos/chaos.py $(if $(SEED),--seed $(SEED)) $(if $(TURNS),--turns $(TURNS)) \
	    $(if $(EVERY),--every-ms $(EVERY)) $(if $(MODE),--mode $(MODE)) \
	    $(if $(KILLS),--kills $(KILLS)) $(if $(FSYNC),--fsync $(FSYNC)) $(if $(JSON),--json $(JSON))
bugs: all ## eight builds with a known bug each: all must be caught
	PARLEY_BUILD=$(B) PARLEY_PROOF=long $(PYTHON) -m pytest -q tests/chaos/test_known_bad.py
bench: all $(B)/bench/pingpong $(B)/bench/reader ## what parley adds to a turn and to a token, and a long log beside jq, each against a floor of the same run
	PARLEY_BUILD=$(B) $(PYTHON) bench/bench.py && PARLEY_BUILD=$(B) $(PYTHON) bench/streams.py && PARLEY_BUILD=$(B) $(PYTHON) bench/analyze.py && PARLEY_BUILD=$(B) $(PYTHON) bench/observer.py
bench-compare: all $(B)/bench/pingpong ## a turn of this build and of revision BASE= (or a build's folder), measured in turns
	PARLEY_BUILD=$(B) $(PYTHON) bench/compare.py $(BASE)
soak: all ## steady work with a fault a second: does anything grow? MINUTES=30 SEED= RATE=50 (turns/s) JSON=
	PARLEY_BUILD=$(B) $(PYTHON) tests/chaos/soak.py $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED)) \
	    $(if $(RATE),--rate $(RATE)) $(if $(JSON),--json $(JSON))
claims: all $(B)/bench/pingpong ## every proof at release size, then docs/claims.md; PART='kills soak' SCALE=short
	$(PYTHON) tests/chaos/claims.py --scale $(or $(SCALE),full) $(PART)
points: ## kills at every fault point, N=100 each, judged: SEED= POINTS='commit.*' JSON=; FAULTS_BY_CHANCE=1 delays, fails, cuts
	@$(MAKE) --no-print-directory VARIANT=faults all
	PARLEY_BUILD=build/faults $(PYTHON) tests/chaos/points.py --kills $(or $(N),100) $(if $(SEED),--seed $(SEED)) \
	    $(if $(POINTS),--points '$(POINTS)') $(if $(FAULTS_BY_CHANCE),--faults) $(if $(JSON),--json $(JSON))
deps: ## install with apt what is missing (says what first)
	@tools/deps
install: all ## PREFIX=/usr/local DESTDIR=
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/share/parley/schemas $(DESTDIR)$(PREFIX)/share/man/man1
	install -m 755 $(PROGRAMS:%=$(B)/%) $(DESTDIR)$(PREFIX)/bin
	install -m 644 $(SCHEMAS) $(DESTDIR)$(PREFIX)/share/parley/schemas
	install -m 644 $(wildcard man/*.1) $(DESTDIR)$(PREFIX)/share/man/man1
clean: ## remove what was built
	rm -rf build parley
help: ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 16
