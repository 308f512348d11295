-- What is the median of absences for average and low family relations, by sex, and also by sex and family relations?
-- famrel goes from 1 (very bad) to 5 (excellent); average and low are 1 to 3. famrel is empty in the rows by sex alone.
SELECT
  CASE WHEN GROUPING(famrel) = 1 THEN 'sex' ELSE 'sex, famrel' END AS breakdown,
  sex,
  famrel,
  COUNT(*) AS students,
  PERCENTILE_CONT(0.5) WITHIN GROUP (ORDER BY absences) AS median_absences
FROM student_data
WHERE famrel <= 3 AND sex IS NOT NULL AND absences IS NOT NULL
GROUP BY GROUPING SETS ((sex), (sex, famrel))
ORDER BY breakdown, sex, famrel;
