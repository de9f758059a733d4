/* What this machine can do right now, as two numbers: billions of float32 operations a second, a multiply and an add counting
   as two, and billions of bytes a second read from 150 MB of memory. All threads at once, the best of five tries.

   usage: cc -O3 -march=native -ffast-math -pthread -o peak peak.c && ./peak THREADS */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#if defined(__AVX512F__)
enum { LANES = 16, SUMS = 24 };
#elif defined(__AVX__)
enum { LANES = 8, SUMS = 12 };
#else
enum { LANES = 4, SUMS = 24 };
#endif
typedef float vec __attribute__((vector_size(LANES * 4)));
typedef long whole __attribute__((vector_size(LANES * 4)));

enum { TRIES = 5, ROUNDS = 8000000, PASSES = 3, MAX_THREADS = 1024 };
static const size_t size = 150u << 20;
static char *memory;

struct job {
	pthread_t thread;
	int id, of, reads;
	double work, from, to;
	vec sink;
	whole seen;
};
static struct job jobs[MAX_THREADS];
static pthread_barrier_t gate;

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec + 1e-9 * t.tv_nsec;
}

/* As many sums as hide the latency of a multiply-add. */
static void multiply(struct job *j)
{
	vec sum[SUMS], a = (vec){} + 0.999f, b = (vec){} + 0.001f;
#pragma GCC unroll 24
	for (int i = 0; i < SUMS; i++)
		sum[i] = (vec){} + (float)i;
	for (long n = 0; n < ROUNDS; n++)
#pragma GCC unroll 24
		for (int i = 0; i < SUMS; i++)
			sum[i] = sum[i] * a + b;
#pragma GCC unroll 24
	for (int i = 0; i < SUMS; i++)
		j->sink += sum[i];
	j->work = 2.0 * LANES * SUMS * ROUNDS;
}

static void read_memory(struct job *j)
{
	size_t part = size / j->of / (4 * sizeof(whole));
	const whole *p = (const whole *)memory + (size_t)j->id * part * 4;
	whole s = {}, t = {}, u = {}, v = {};
	for (int n = 0; n < PASSES; n++) {
		for (size_t i = 0; i < part * 4; i += 4) {
			s ^= p[i];
			t ^= p[i + 1];
			u ^= p[i + 2];
			v ^= p[i + 3];
		}
		__asm__ volatile("" : : : "memory");
	}
	j->seen = s ^ t ^ u ^ v;
	j->work = (double)PASSES * part * 4 * sizeof(whole);
}

static void *work(void *arg)
{
	struct job *j = arg;
	pthread_barrier_wait(&gate);
	j->from = now();
	(j->reads ? read_memory : multiply)(j);
	j->to = now();
	return NULL;
}

static double best(int threads, int reads)
{
	double most = 0;
	for (int n = 0; n < TRIES; n++) {
		double done = 0, from = 1e300, to = 0;
		pthread_barrier_init(&gate, NULL, threads);
		for (int i = 0; i < threads; i++) {
			jobs[i].id = i, jobs[i].of = threads, jobs[i].reads = reads;
			if (pthread_create(&jobs[i].thread, NULL, work, &jobs[i]))
				exit(1);
		}
		for (int i = 0; i < threads; i++) {
			pthread_join(jobs[i].thread, NULL);
			done += jobs[i].work;
			from = jobs[i].from < from ? jobs[i].from : from;
			to = jobs[i].to > to ? jobs[i].to : to;
		}
		pthread_barrier_destroy(&gate);
		most = done / (to - from) > most ? done / (to - from) : most;
	}
	return most / 1e9;
}

int main(int argc, char **argv)
{
	int threads = argc > 1 ? atoi(argv[1]) : 1;
	if (threads < 1 || threads > MAX_THREADS || !(memory = aligned_alloc(1 << 21, size)))
		return 1;
	for (size_t i = 0; i < size; i++)
		memory[i] = i * 7;
	printf("%.1f %.2f\n", best(threads, 0), best(threads, 1));
}
