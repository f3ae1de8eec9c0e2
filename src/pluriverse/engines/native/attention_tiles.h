// Packing for ggml's tiled attention in AVX-512 instead of number by number. The same numbers in the same places.
#pragma once

#include "ggml-impl.h"

#include <cmath>
#include <cstdint>

namespace attention_tiles {

// A row of the mask in single precision, times the slope; whether anything in it is seen.
inline bool pack_mask(const ggml_fp16_t * from, float slope, int count, float * to) {
    ggml_cpu_fp16_to_fp32(from, to, count);
    int seen = 0;
    for (int place = 0; place < count; ++place) {
        to[place] *= slope;
        seen |= to[place] != -INFINITY;
    }
    return seen != 0;
}

// The greatest of `count` numbers, a multiple of 16, none of them NaN; sixteen at a time, which a compiler can do at once.
inline float greatest(const float * numbers, int count) {
    float best[16];
    for (int lane = 0; lane < 16; ++lane) {
        best[lane] = numbers[lane];
    }
    for (int place = 16; place < count; place += 16) {
        for (int lane = 0; lane < 16; ++lane) {
            best[lane] = numbers[place + lane] > best[lane] ? numbers[place + lane] : best[lane];
        }
    }
    for (int lane = 1; lane < 16; ++lane) {
        best[0] = best[lane] > best[0] ? best[lane] : best[0];
    }
    return best[0];
}

#if defined(__AVX512F__)

// 16 rows of 16 numbers become 16 columns.
inline void transpose(__m512 * rows) {
    __m512 by_two[16], by_four[16];
    for (int place = 0; place < 16; place += 2) {
        by_two[place] = _mm512_unpacklo_ps(rows[place], rows[place + 1]);
        by_two[place + 1] = _mm512_unpackhi_ps(rows[place], rows[place + 1]);
    }
    for (int place = 0; place < 16; place += 4) {
        for (int half = 0; half < 2; ++half) {
            const __m512d low = _mm512_castps_pd(by_two[place + half]), high = _mm512_castps_pd(by_two[place + half + 2]);
            by_four[place + 2 * half] = _mm512_castpd_ps(_mm512_unpacklo_pd(low, high));
            by_four[place + 2 * half + 1] = _mm512_castpd_ps(_mm512_unpackhi_pd(low, high));
        }
    }
    for (int column = 0; column < 4; ++column) {
        const __m512 a = by_four[column], b = by_four[column + 4], c = by_four[column + 8], d = by_four[column + 12];
        const __m512 ab_even = _mm512_shuffle_f32x4(a, b, 0x88), ab_odd = _mm512_shuffle_f32x4(a, b, 0xdd);
        const __m512 cd_even = _mm512_shuffle_f32x4(c, d, 0x88), cd_odd = _mm512_shuffle_f32x4(c, d, 0xdd);
        rows[column] = _mm512_shuffle_f32x4(ab_even, cd_even, 0x88);
        rows[column + 8] = _mm512_shuffle_f32x4(ab_even, cd_even, 0xdd);
        rows[column + 4] = _mm512_shuffle_f32x4(ab_odd, cd_odd, 0x88);
        rows[column + 12] = _mm512_shuffle_f32x4(ab_odd, cd_odd, 0xdd);
    }
}

// Keys in half precision, `bytes` apart, into columns `width` apart; how many keys that were, a multiple of 16.
inline int pack_keys(const char * from, size_t bytes, int count, int64_t depth, float * to, int width) {
    if (depth % 16) {
        return 0;
    }
    int key = 0;
    for (; key + 16 <= count; key += 16) {
        for (int64_t place = 0; place < depth; place += 16) {
            __m512 rows[16];
            for (int row = 0; row < 16; ++row) {
                const char * at = from + (key + row) * bytes + place * sizeof(ggml_fp16_t);
                rows[row] = _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i *>(at)));
            }
            transpose(rows);
            for (int row = 0; row < 16; ++row) {
                _mm512_storeu_ps(to + (place + row) * width + key, rows[row]);
            }
        }
    }
    return key;
}

#else

inline int pack_keys(const char *, size_t, int, int64_t, float *, int) { return 0; }

#endif

}  // namespace attention_tiles
