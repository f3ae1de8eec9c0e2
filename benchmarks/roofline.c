/* Two limits of this machine: bytes read from memory per second, and int8 multiply-adds per second in registers.

     cc -O3 -march=native -pthread benchmarks/roofline.c -o roofline && ./roofline 2

   The argument is the number of threads. Prints JSON: GB/s of reading 256 MB per thread, and 10^9 int8 multiply-adds a
   second with the widest dot-product instruction the processor has (VNNI; else AVX2's maddubs and madd, two steps). */
#include <immintrin.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define BYTES (256L << 20)
#define ROUNDS 40000000L
#define CHAINS 8

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec + 1e-9 * t.tv_nsec;
}

static void *reads(void *out) {
    uint64_t *data = aligned_alloc(64, BYTES), sum[8] = {0};
    memset(data, 1, BYTES);
    double best = 0;
    for (int round = 0; round < 5; round++) {
        double begin = now();
        for (long i = 0; i < BYTES / 8; i += 8)
            for (int j = 0; j < 8; j++) sum[j] += data[i + j];
        double speed = BYTES / (now() - begin);
        if (speed > best) best = speed;
    }
    volatile uint64_t keep = sum[0] + sum[1] + sum[2] + sum[3] + sum[4] + sum[5] + sum[6] + sum[7];
    (void)keep;
    free(data);
    *(double *)out = best;
    return NULL;
}

static void *adds(void *out) {
    double begin;
#if defined(__AVX512VNNI__)
    const int width = 64;
    __m512i sum[CHAINS], a = _mm512_set1_epi8(3), b = _mm512_set1_epi8(2);
    for (int j = 0; j < CHAINS; j++) sum[j] = _mm512_setzero_si512();
    begin = now();
    for (long i = 0; i < ROUNDS; i++)
        for (int j = 0; j < CHAINS; j++) {
            sum[j] = _mm512_dpbusd_epi32(sum[j], a, b);
            __asm__ volatile("" : "+v"(sum[j]));
        }
#else
    const int width = 32;
    __m256i sum[CHAINS], a = _mm256_set1_epi8(3), b = _mm256_set1_epi8(2), one = _mm256_set1_epi16(1);
    for (int j = 0; j < CHAINS; j++) sum[j] = _mm256_setzero_si256();
    begin = now();
    for (long i = 0; i < ROUNDS; i++)
        for (int j = 0; j < CHAINS; j++) {
            sum[j] = _mm256_add_epi32(sum[j], _mm256_madd_epi16(_mm256_maddubs_epi16(a, b), one));
            __asm__ volatile("" : "+x"(sum[j]));
        }
#endif
    *(double *)out = (double)ROUNDS * CHAINS * width / (now() - begin);
    return NULL;
}

static double together(void *(*work)(void *), int threads) {
    pthread_t ids[threads];
    double speeds[threads], total = 0;
    for (int i = 0; i < threads; i++) pthread_create(&ids[i], NULL, work, &speeds[i]);
    for (int i = 0; i < threads; i++) pthread_join(ids[i], NULL), total += speeds[i];
    return total;
}

int main(int count, char **words) {
    int threads = count > 1 ? atoi(words[1]) : 1;
    printf("{\"threads\": %d, \"memory_gb_s\": %.1f, ", threads, together(reads, threads) / 1e9);
    printf("\"int8_gmac_s\": %.0f}\n", together(adds, threads) / 1e9);
    return 0;
}
