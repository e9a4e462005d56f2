SELECT found_by, seeds, recall FROM measure_recall(20);
