CREATE TABLE pgsim.feature_set (
    name text PRIMARY KEY,
    position integer NOT NULL,
    length integer NOT NULL,
    paths text[] NOT NULL,
    form text NOT NULL,
    transform text NOT NULL,
    aggregate text NOT NULL,
    weight double precision NOT NULL,
    center double precision[],
    scale double precision[],
    labels text[],
    quantiles double precision[],
    map double precision[],
    inverse double precision[],
    CONSTRAINT slices_start_where_no_other_does UNIQUE (position),
    CONSTRAINT position_counts_from_1 CHECK (position >= 1),
    CONSTRAINT length_is_positive CHECK (length >= 1),
    CONSTRAINT transform_is_known CHECK (transform IN ('zscore', 'rank', 'isotropic', 'hellinger', 'unit', 'log')),
    CONSTRAINT aggregate_is_known CHECK (aggregate IN ('median', 'mean')),
    CONSTRAINT weight_is_at_least_a_thousandth CHECK (weight >= 0.001),
    CONSTRAINT center_has_a_value_for_each_dimension CHECK (cardinality(center) = length),
    CONSTRAINT scale_has_a_value_for_each_dimension CHECK (cardinality(scale) = length),
    CONSTRAINT labels_name_each_dimension CHECK (cardinality(labels) = length),
    CONSTRAINT center_and_scale_are_fitted_together CHECK ((center IS NULL) = (scale IS NULL)),
    CONSTRAINT quantiles_are_fitted_for_ranks CHECK ((quantiles IS NOT NULL) = (transform = 'rank' AND center IS NOT NULL)),
    CONSTRAINT quantiles_are_257_for_each_dimension CHECK (cardinality(quantiles) = length * 257),
    CONSTRAINT map_is_square CHECK (cardinality(map) = length * length),
    CONSTRAINT inverse_is_square CHECK (cardinality(inverse) = length * length),
    CONSTRAINT map_has_an_inverse CHECK ((map IS NULL) = (inverse IS NULL))
);

COMMENT ON TABLE pgsim.feature_set IS
'One named slice of recording.vector, and how its numbers are made: '
'vector = (aggregate(transform(value)) - center) / scale * sqrt(weight), and then times the map where there is one.';
COMMENT ON COLUMN pgsim.feature_set.name IS 'The name of the set, as in the profile.';
COMMENT ON COLUMN pgsim.feature_set.position IS 'The first dimension of the set in the vector, counted from 1.';
COMMENT ON COLUMN pgsim.feature_set.length IS 'How many dimensions the set has.';
COMMENT ON COLUMN pgsim.feature_set.paths IS 'Where a document has the values.';
COMMENT ON COLUMN pgsim.feature_set.form IS 'How values become numbers (numbers, probabilities, circle_of_fifths, octaves).';
COMMENT ON COLUMN pgsim.feature_set.transform IS 'How the numbers of one submission are transformed and scaled.';
COMMENT ON COLUMN pgsim.feature_set.aggregate IS 'How the values of a recording''s submissions become one: median or mean.';
COMMENT ON COLUMN pgsim.feature_set.weight IS 'The share of the set in the expected squared distance; the weights of all sets sum to 1.';
COMMENT ON COLUMN pgsim.feature_set.center IS 'The mean of each dimension over the recordings; NULL until the set is fitted.';
COMMENT ON COLUMN pgsim.feature_set.scale IS
'The divisor of each dimension. It makes the expected squared distance of two recordings in this set 1; '
'it is 0 for a dimension that never varies, which is 0 in each vector.';
COMMENT ON COLUMN pgsim.feature_set.labels IS 'What an explanation calls each dimension; NULL where the dimensions have no names.';
COMMENT ON COLUMN pgsim.feature_set.quantiles IS
'Of the transform rank, for each dimension the 257 values that have the normal scores -4 to 4; NULL for other transforms.';
COMMENT ON COLUMN pgsim.feature_set.map IS
'The symmetric matrix, by rows, that the set''s standardised values are multiplied by: what pgsim tune has learned; NULL for none.';
COMMENT ON COLUMN pgsim.feature_set.inverse IS 'The inverse of the map, by which an explanation finds the values again.';
