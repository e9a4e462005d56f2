SELECT index_metric('mfccs'), index_metric('mfccs') AS again;
